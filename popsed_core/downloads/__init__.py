"""Downloads from archives, packages and git."""
