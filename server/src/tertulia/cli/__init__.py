"""The command `tertulia`."""
