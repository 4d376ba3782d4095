"""LiveKit's server API: RoomService over Twirp, and webhooks."""
