"""HTTP infrastructure: operations, validation, replies. It knows nothing of meetings."""
