"""Recordings: their states, and what a recorder's final state means."""
