"""Promises the flow relies on. One Protocol a file; the docstring is the contract."""
