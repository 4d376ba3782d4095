"""LiveKit's signalling over WebSocket."""
