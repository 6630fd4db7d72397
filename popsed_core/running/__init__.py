"""Loops, devices, random streams, logs."""
