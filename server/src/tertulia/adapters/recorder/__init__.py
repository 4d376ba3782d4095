"""Recorder processes of this machine."""
