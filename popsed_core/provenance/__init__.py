"""Provenance of results: records, their tree, RO-Crates, the code hash."""
