"""What is derived from a trained ensemble: quantities, n(z), diagnostics."""
