"""Ways out to partners, one module a kind."""
