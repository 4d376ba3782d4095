"""One recording, one process: join hidden, lay out, mix, encode, and write a file that no crash destroys."""
