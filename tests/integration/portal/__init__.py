"""The HTTP edge over real sockets, with small in-memory desks behind it."""
