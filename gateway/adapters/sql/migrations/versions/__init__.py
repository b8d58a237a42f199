"""Revisions, oldest first by their file names. One that was released is never changed."""
