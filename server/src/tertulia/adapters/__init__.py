"""What reaches out of the process: the database, the media server's API, files, the clock."""
