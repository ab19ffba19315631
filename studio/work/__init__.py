"""What the studio does: verbs, their order and their transactions."""
