"""What `bench train` runs beside each other: the studio's own worker, and its peers in environments of their own."""
