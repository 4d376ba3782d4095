"""Live rooms and the sessions of their participants: pure state behind ports, without I/O and without a clock."""
