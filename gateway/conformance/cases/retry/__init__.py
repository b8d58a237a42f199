"""Cases of the conformance kit, one folder each."""
