"""Partners that exchange rows in tables of a database of theirs (前置机中间表)."""
