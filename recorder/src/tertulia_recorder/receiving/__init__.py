"""From the media server to decoded media."""
