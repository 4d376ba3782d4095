"""From decoded media to the file."""
