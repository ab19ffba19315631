"""What the studio knows: nouns and rules. No input or output, no clock, no accelerator."""
