"""Reading a figure as its readers do."""


def texts(figure):
    """All text in a figure except tick labels."""
    found = [text.get_text() for text in figure.texts]
    if figure._supxlabel is not None:
        found.append(figure._supxlabel.get_text())
    for axes in figure.axes:
        found += [axes.get_xlabel(), axes.get_ylabel(), axes.get_title()]
        found += [text.get_text() for text in axes.texts]
    return [text for text in found if text]
