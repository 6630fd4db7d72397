"""How good a result is: distances, recovery, summaries, tables."""
