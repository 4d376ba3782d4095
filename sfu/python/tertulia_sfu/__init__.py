"""A LiveKit-compatible media server: signalling and rooms in Python, packets in Rust."""
