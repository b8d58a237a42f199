"""Partners' mappings (映射): read from the operator's folder, checked, shown and tried."""
