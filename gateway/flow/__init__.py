"""The pipeline: what the gateway does with a message, a form, an answer."""
