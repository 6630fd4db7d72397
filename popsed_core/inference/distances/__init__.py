"""Distances between predicted and observed photometry."""
