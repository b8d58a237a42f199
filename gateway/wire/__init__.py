"""Bytes to values and back, and what faults look like on each wire."""
