"""What the studio remembers: the database, folders and files."""
