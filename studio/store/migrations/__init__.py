"""How the database came to be what it is: one step a file, only ever appended to, run when it is opened."""
