"""What partners send over the real socket, hostile first."""
