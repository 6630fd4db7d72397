"""How figures are saved: marked by their source, the same bytes each time."""

import pytest

from popsed_core.errors import InputError
from popsed_core.figures import style
from popsed_core.figures.registry import render


@pytest.mark.parametrize(
    ("source", "text"), [*style.DIAGONALS.items(), ("mock", "mock"), ("real", None)]
)
def test_source_is_marked(source, text, artefacts, tmp_path):
    figure = render("cut_flow", artefacts)
    style.save(figure, tmp_path / "a.png", source=source)
    style.save(figure, tmp_path / "a.png", source=source)
    assert [mark.get_text() for mark in figure.texts] == ([text] if text else [])


def test_drawing_leaves_the_users_style_alone(artefacts):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    render("cut_flow", artefacts)
    assert dict(mpl.rcParams) == before


def test_another_file_format_is_refused(artefacts, tmp_path):
    with pytest.raises(InputError, match=r"expected a name ending in \.pdf, \.png, \.svg"):
        style.save(render("cut_flow", artefacts), tmp_path / "a.gif", source="real")


def test_an_svg_has_the_same_bytes_each_time(artefacts, tmp_path):
    for name in ("a.svg", "b.svg"):
        style.save(render("cut_flow", artefacts), tmp_path / name, source="real")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
