"""Artefacts, atomic writes, checksums, locks and formats."""
