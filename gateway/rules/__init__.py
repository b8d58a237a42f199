"""Decisions, pure: values in, a value or a fault out. Families are strangers to each other."""
