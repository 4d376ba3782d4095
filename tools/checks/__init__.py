"""Checks of the repository's structure, for `make check`. Each module has `problems()`: what is wrong, line by line."""
