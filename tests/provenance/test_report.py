import json

import popsed_core
from popsed_core.files.artefacts import Provenance
from popsed_core.provenance.report import flattened, provenance_report

OWN, RAW = "a" * 64, "b" * 64
CATALOGUE = Provenance("real", json.dumps({"cuts": {"min_snr": 1.0}}), 0, {"input": RAW})
MEMBER = Provenance("real", "{}", 7, {"catalogue": OWN})
TEXT = provenance_report(
    {"catalogue": CATALOGUE, "member 1": MEMBER},
    {"catalogue": OWN, "member 1": "c" * 64},
    {"survey": CATALOGUE.config},
    {"g": "sdss2010-g"},
)


def test_every_file_and_what_it_was_made_from_is_told_by_its_checksum():
    assert f"| catalogue | real | - | {OWN} |" in TEXT
    assert f"| member 1 | real | 7 | {'c' * 64} |" in TEXT
    assert f"| catalogue | input | {RAW} |" in TEXT


def test_an_input_that_is_one_of_the_files_is_told_once():
    assert TEXT.count(OWN) == 1


def test_versions_bands_and_configuration_are_there():
    assert f"| popsed | {popsed_core.__version__} |" in TEXT
    assert "| torch | " in TEXT
    assert "| g | sdss2010-g |" in TEXT
    assert "| survey.cuts.min_snr | 1.0 |" in TEXT


def test_no_key_is_lost_where_a_section_is_flattened():
    tree = {"a": {"b": [1, 2], "c": {"d": None}}, "e": {}}
    found = dict(flattened("fit", tree))
    assert found == {"fit.a.b": "[1, 2]", "fit.a.c.d": "null", "fit.e": "{}"}
