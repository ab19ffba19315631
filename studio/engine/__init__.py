"""What the accelerator does: load, encode, train, answer, score."""
