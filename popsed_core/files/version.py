"""The version of PopSED, which every file that it makes carries."""

__version__ = "0.1.0"
