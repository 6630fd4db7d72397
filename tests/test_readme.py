"""The documentation agrees with the committed results, and its links and targets exist."""

import re

import pytest

from tests.bars.readme import (
    DOCUMENTS,
    README,
    ROOT,
    filled,
    read_bars,
    verdict,
)

MAKEFILE = (ROOT / "Makefile").read_text()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_numbers_are_those_of_the_committed_results(document):
    text = document.read_text()
    assert filled(text, DOCUMENTS[document]) == text, "run: python -m tests.bars.readme"


def test_a_missing_block_is_noticed():
    with pytest.raises(ValueError, match="0 blocks named cost"):
        filled("no numbers here")


def test_a_bar_that_falls_short_is_named():
    name, row = next(iter(read_bars().items()))
    assert name in verdict({name: dict(row) | {"is_passed": False}})


def test_every_make_target_of_the_readme_exists():
    targets = set(re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[0].split())
    named = set(re.findall(r"(?<!nake)make ([a-z][a-z-]*)", README.read_text()))
    named -= {"it"}
    assert named <= targets
    assert {"demo", "test"} <= named


def test_every_local_link_of_the_documents_leads_somewhere():
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("[cr]*/README.md")]
    links = [
        (page.name, link, page.parent / path if path else page, heading)
        for page in pages
        for link in re.findall(r"\]\(((?!https?:)[^)]+)\)", page.read_text())
        for path, _, heading in [link.partition("#")]
    ]
    assert len(links) > len(pages)
    assert [link[:2] for link in links if not link[2].exists()] == []
    assert [link[:2] for link in links if link[3] and link[3] not in headings(link[2])] == []


def headings(page):
    """Return the anchors of a page's headings, as GitHub makes them."""
    found = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in found}


def test_the_readme_has_at_most_600_words():
    assert len(README.read_text().split()) <= 600


def test_blocks_have_names():
    for document, blocks in DOCUMENTS.items():
        assert set(blocks) == set(re.findall(r"<!-- (?!end)(\w+) -->", document.read_text()))
