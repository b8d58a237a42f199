"""Signing schemes (签名规则): small, pure, one a file."""
