"""LiveKit's signalling over WebSocket: the endpoint, its connections, and the decoding of what clients send."""
