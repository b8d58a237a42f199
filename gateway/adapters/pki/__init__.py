"""Keys in files, signature suites and X.509 certificates.

`suites` signs and verifies, `key_files` reads and writes private keys, `certificates` reads
certificates and refuses examples, `chains` verifies them, `issuing` makes them.
"""
