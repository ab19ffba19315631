"""What a person sees: the page and the server under it."""
