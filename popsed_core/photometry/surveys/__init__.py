"""Readers: one module per kind of survey."""
