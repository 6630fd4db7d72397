"""Mock surveys with a known truth."""
