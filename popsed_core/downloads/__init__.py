"""Files from archives, packages and git."""
