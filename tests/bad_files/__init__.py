"""Files that something is wrong with, made when they are needed: each is named for what that is."""
