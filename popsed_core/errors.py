"""The one exception a user may cause: it names what is wrong, where, and the remedy."""


class InputError(ValueError):
    """Bad input (configuration, file, table, checkpoint); the CLI prints it as one line."""
