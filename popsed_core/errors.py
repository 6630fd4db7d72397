"""The exception for user errors: it names the problem, its place and the remedy."""


class InputError(ValueError):
    """Bad input (configuration, file, table, checkpoint); the CLI prints it as one line."""
