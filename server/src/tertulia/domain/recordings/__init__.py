"""Recordings: their states and limits, and what a recorder's final state means."""
