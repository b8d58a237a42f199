"""HTTP for portals (申请地) and for the deciding side's business systems (办理地)."""
