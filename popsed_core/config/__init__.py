"""The configuration: frozen dataclasses, one module per section.

Each module imports only the sections it needs, so that a new key or a changed default reruns
only what uses its section.  Start at :mod:`popsed_core.config.root`.
"""
