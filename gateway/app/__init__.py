"""The composition root: configuration, wiring, command line."""
