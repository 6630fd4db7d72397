"""Tables of simple stellar populations, and their readers."""
