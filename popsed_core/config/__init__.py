"""The configuration: frozen dataclasses, one module per section.

Each module imports only the sections that it needs, so that a new key, or another default, reruns
only what reads its section.  Start at :mod:`popsed_core.config.root`.
"""
