"""Figures: one module each, from artefacts to PDF and PNG."""
