"""I/O in: what others call. Refuses before it parses, and hands values to the flow."""
