"""The verbs of the command line, one small module per noun; all science lives elsewhere."""
