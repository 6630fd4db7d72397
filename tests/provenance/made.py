"""One provenance record with awkward characters, shared by the tests of this folder."""

import json

from popsed_core.files.artefacts import Provenance

MADE = Provenance(
    source="mock",
    config=json.dumps(
        {"text": "a (b) \\ 'c' & <d> -- \N{GREEK SMALL LETTER ALPHA}", "e": " " * 90}
    ),
    seed=7,
    inputs={"catalogue": "a" * 64},
    paths={"catalogue": "results/x/catalogue.h5"},
    command="noise fit",
    arguments='{"survey": "x"}',
    code="0123456789abcdef",
    versions={"numpy": "2.4"},
)
