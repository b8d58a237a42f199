"""Made by `make protos`; do not edit."""
