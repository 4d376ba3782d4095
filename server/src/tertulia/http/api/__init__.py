"""The two documented APIs: one file a noun, with its schemas and handlers."""
