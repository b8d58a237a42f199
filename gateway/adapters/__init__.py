"""I/O out: each subpackage keeps the promise of one or more ports."""
