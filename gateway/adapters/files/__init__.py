"""Attachments in a local folder."""
