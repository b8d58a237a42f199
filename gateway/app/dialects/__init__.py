"""Opening the adapters of partners that run platforms of their own, one module a dialect."""
