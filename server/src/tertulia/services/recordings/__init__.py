"""Recordings: the service that the APIs call, the worker that claims them, the supervisor of each."""
