"""Values and rules of meetings: pure, without I/O; time is always an argument (milliseconds since the epoch).

Room: a name, an expiry and a secret for each role. Participant: an identity in a room, connected or remembered.
Recording: one file made of one meeting. Access: who may do what, as one table.
"""
