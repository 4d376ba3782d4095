"""Live rooms: pure state, and the sessions of participants."""
