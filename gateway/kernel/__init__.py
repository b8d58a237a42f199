"""Nouns of the field, on the standard library alone: identifiers, instants, limits, digests."""
