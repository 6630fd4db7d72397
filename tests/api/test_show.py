"""Objects show themselves in a few lines, and in notebooks as a small table."""

import pytest

import popsed_core as popsed


@pytest.fixture(scope="module")
def objects(survey, fit, samples):
    return {
        "survey": survey,
        "catalogue": survey.catalogue,
        "reference": survey.reference,
        "noise": survey.noise,
        "ssp": survey.ssp,
        "fit": fit,
        "samples": samples,
        "selection": samples.where("redshift < 0.3"),
        "summary": popsed.summary(samples, survey),
        "prediction": popsed.predict(samples, "sdss2010-*"),
    }


NAMES = ("survey", "catalogue", "reference", "noise", "ssp", "fit", "samples", "selection",
         "summary", "prediction")  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_a_few_lines_without_an_array(name, objects):
    text = repr(objects[name])
    assert len(text.splitlines()) <= 5
    assert "array(" not in text
    assert len(text) < 800


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_shows_the_same_as_a_table(name, objects):
    shown = objects[name]
    html = shown._repr_html_()
    assert html.startswith("<b>")
    assert html.count("<tr>") == len(shown._facts())


def test_text_is_escaped_in_a_notebook(samples):
    assert "redshift &lt; 0.3" in samples.where("redshift < 0.3")._repr_html_()


def test_a_fit_says_how_well_it_went(fit):
    last = [member["history"]["validation"][-1] for member in fit.members]
    assert f"validation distance: {last[0]:.3g}, {last[1]:.3g}" in repr(fit)


def test_tables_of_a_survey_have_units(survey):
    table = survey.catalogue.to_table()
    assert len(table) == len(survey.catalogue.mag)
    assert str(table["mag_r"].unit) == "mag(AB)"
    assert survey.reference.to_table().colnames == ["redshift"]
    assert "SNR > 1 in every band" in survey.catalogue.cut_flow


def test_what_there_is_can_be_listed():
    assert set(popsed.__all__) <= set(dir(popsed))
    for name in popsed.__all__:
        assert getattr(popsed, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        popsed.nothing  # noqa: B018
