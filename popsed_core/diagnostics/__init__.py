"""Quality of a result: distances, recovery, summaries, tables."""
