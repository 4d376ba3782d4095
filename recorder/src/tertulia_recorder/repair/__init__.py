"""Finishing files: after a normal end, and after a crash."""
