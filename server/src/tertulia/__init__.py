"""Tertulia: video meetings for your own application."""
