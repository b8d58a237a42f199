"""Kuayu 跨域: a gateway for cross-region government service cases (跨域通办)."""

__version__ = "0.1.0"
