import dataclasses

import numpy as np
import pytest
import synthetic

from popsed_core.config.noise import NoiseConfig
from popsed_core.diagnostics.recovery import compare
from popsed_core.errors import InputError
from popsed_core.figures import style
from popsed_core.figures.corner import LEVELS, Column, corner, enclosing_levels
from popsed_core.figures.registry import FIGURES, SPECIAL, render, worst_source, write
from popsed_core.surveys.noise_fit import fit_noise


@pytest.fixture(scope="module")
def artefacts():
    catalogue, reference = synthetic.make_observed()
    return {
        "samples": synthetic.make_samples(),
        "catalogue": catalogue,
        "reference": reference,
        "noise": fit_noise(catalogue, NoiseConfig(n_bins=10)),
        "members": synthetic.make_members(),
        "accuracy": synthetic.make_accuracy(),
        "bases": synthetic.make_bases(),
        "exact": synthetic.make_samples(),
        "emulated": synthetic.make_samples(seed=5),
        "step_costs": synthetic.STEP_COSTS,
        "galaxy_costs": synthetic.GALAXY_COSTS,
    }


def texts(figure):
    """All text in a figure except tick labels."""
    found = [text.get_text() for text in figure.texts]
    if figure._supxlabel is not None:
        found.append(figure._supxlabel.get_text())
    for axes in figure.axes:
        found += [axes.get_xlabel(), axes.get_ylabel(), axes.get_title()]
        found += [text.get_text() for text in axes.texts]
    return [text for text in found if text]


@pytest.mark.parametrize("name", FIGURES | SPECIAL)
def test_figure_draws_and_says_what_it_shows(name, artefacts):
    figure = render(name, artefacts)
    drawn = [axes for axes in figure.axes if axes.has_data()]
    assert drawn
    labels = {
        "population": r"$\log M_\star/M_\odot$",
        "corner_full": r"$t_{\rm burst}\ [{\rm Gyr}]$",
        "photometry": "$u$ [mag]",
        "colours": "$u - g$ [mag]",
        "star_forming_sequence": r"$\log M_{\rm surv}/M_\odot$",
        "redshift_distribution": "$n(z)$ [per unit redshift]",
        "recovery": r"$(x - {\rm median}) / {\rm std}$ of the known [-]",
        "training": "epoch",
        "noise_model": r"$\log_{10}$ flux error [maggies]",
        "cut_flow": "galaxies kept [count]",
        "engines": r"$t_{\rm burst}\ [{\rm Gyr}]$",
        "costs": "time of one flow [s]",
        "emulator_basis": "error of the reconstruction [%]",
        "emulator_accuracy": r"rest-frame wavelength [$\rm\AA$]",
    }
    assert labels[name] in texts(figure)


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES | SPECIAL)
def test_same_artefacts_same_bytes(name, artefacts, tmp_path):
    found = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        paths = folder / f"{name}.pdf", folder / f"{name}.png"
        write(name, artefacts, *paths)
        found.append([path.read_bytes() for path in paths])
    assert found[0] == found[1]
    assert found[0][0].startswith(b"%PDF")
    assert b"CreationDate" not in found[0][0]
    assert found[0][1].startswith(b"\x89PNG")


def test_figure_file_is_the_same_twice(artefacts, tmp_path):
    for name in ("a", "b"):
        write("cut_flow", artefacts, tmp_path / f"{name}.pdf", tmp_path / f"{name}.png")
    for ending in ("pdf", "png"):
        first, second = (tmp_path / f"{name}.{ending}" for name in ("a", "b"))
        assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize(
    ("source", "text"), [*style.DIAGONALS.items(), ("mock", "mock"), ("real", None)]
)
def test_source_is_marked(source, text, artefacts, tmp_path):
    figure = render("cut_flow", artefacts)
    style.save(figure, tmp_path / "a.png", source=source)
    style.save(figure, tmp_path / "a.png", source=source)
    assert [mark.get_text() for mark in figure.texts] == ([text] if text else [])


def test_worst_source_wins(artefacts):
    samples = artefacts["samples"]
    toy = dataclasses.replace(samples, source="toy")
    real = dataclasses.replace(samples, source="real")
    assert worst_source([real, artefacts["catalogue"]]) == "mock"
    assert worst_source([toy, artefacts["catalogue"]]) == "toy"
    assert worst_source([real, artefacts["reference"], None]) == "real"
    assert worst_source([[{"source": "mock"}, {"source": "real"}]]) == "mock"


@pytest.mark.parametrize("name", ["population", "redshift_distribution", "recovery"])
def test_figure_does_without_a_reference(name, artefacts):
    figure = render(name, artefacts | {"reference": None})
    assert not any("truth" in text for text in texts(figure))


@pytest.mark.parametrize("name", ["population", "redshift_distribution", "recovery"])
def test_figure_shows_redshifts_alone(name, artefacts):
    _, spectroscopy = synthetic.make_observed(kind="spectroscopy")
    figure = render(name, artefacts | {"reference": spectroscopy})
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
    names = [text.get_text() for legend in legends if legend for text in legend.get_texts()]
    assert any("spectroscopic survey" in name for name in names)


def legend_of(figure):
    """The lines above a legend's entries."""
    return figure.axes[0].get_legend().get_title().get_text().splitlines()


def test_n_of_z_has_each_number_beside_its_priors(artefacts):
    row = next(
        row
        for row in compare(artefacts["samples"], artefacts["reference"])
        if row.name == "redshift"
    )
    lines = legend_of(render("redshift_distribution", artefacts))
    assert lines[0] == f"$W_1$ = {row.w1:.4f} (prior {row.prior.w1:.4f})"
    assert lines[-1] == "narrower than its prior"
    assert "not better than its prior" not in lines
    samples = artefacts["samples"]
    swapped = dataclasses.replace(
        samples,
        theta=samples.prior_theta[None],
        derived=samples.prior_derived[None],
        mag=samples.prior_mag[None],
        prior_theta=samples.theta[0],
        prior_derived=samples.derived[0],
        prior_mag=samples.mag[0],
    )
    lines = legend_of(render("redshift_distribution", artefacts | {"samples": swapped}))
    assert lines[-2:] == ["not better than its prior", "wider than its prior"]


@pytest.mark.parametrize("name", ["redshift_distribution", "population"])
def test_known_redshifts_beyond_the_draws_are_shown(name, artefacts):
    _, known = synthetic.make_observed(kind="spectroscopy")
    values = known.values.copy()
    values[:100] = 1.5
    far = dataclasses.replace(known, values=values)
    figure = render(name, artefacts | {"reference": far})
    label = "redshift $z$" if name == "redshift_distribution" else "$z$"
    axes = next(axes for axes in figure.axes if axes.get_xlabel() == label)
    assert axes.get_xlim()[1] >= 1.5


def test_the_population_says_how_wide_it_is_against_its_prior(artefacts):
    said = [text for text in texts(render("population", artefacts)) if "its prior" in text]
    assert len(said) == 5
    assert any(text.startswith("narrower than its prior") for text in said)


def test_recovery_has_a_strip_and_a_number_per_quantity(artefacts):
    reference, samples = artefacts["reference"], artefacts["samples"]
    (axes,) = render("recovery", artefacts).axes
    assert len(axes.get_yticks()) == len(reference.names)
    hatched = [strip for strip in axes.collections if strip.get_hatch()]
    assert 0 < len(hatched) < len(samples.names)


def test_prior_dominated_panels_are_marked(artefacts):
    marked = [
        axes
        for axes in render("corner_full", artefacts).axes
        if "prior-dominated" in [text.get_text() for text in axes.texts]
    ]
    flat = ("dust_index", "tau_bc", "kappa_1", "kappa_2", "kappa_3", "t_burst", "f_burst")
    assert len(marked) == len(flat)


def test_cut_flow_says_what_each_cut_takes(artefacts):
    assert "1,551  (−100)" in texts(render("cut_flow", artefacts))


def test_no_nearby_draws_is_said(artefacts):
    samples = artefacts["samples"]
    theta = samples.theta.copy()
    theta[:, :, 0] += 0.2
    far = dataclasses.replace(samples, theta=theta)
    assert any(
        "no draws" in text for text in texts(render("star_forming_sequence", {"samples": far}))
    )


@pytest.mark.parametrize("form", ["snr_given_flux", "log_snr_given_flux"])
def test_noise_figure_shows_every_form(form, artefacts):
    noise = fit_noise(artefacts["catalogue"], NoiseConfig(form, "observed", "positive", n_bins=10))
    figure = render("noise_model", artefacts | {"noise": noise})
    assert any("signal-to-noise" in text for text in texts(figure))


def test_each_band_of_the_noise_figure_is_checked(artefacts):
    catalogue = artefacts["catalogue"]
    for axes in render("noise_model", artefacts).axes:
        (inset,) = axes.child_axes
        assert inset.get_xlabel() == "PIT"
    mag = catalogue.mag + np.array([0, 0, 0, 0, 15.0])  # nothing clear is left in the last band
    faint = dataclasses.replace(catalogue, mag=mag)
    figure = render("noise_model", artefacts | {"catalogue": faint})
    assert [len(axes.child_axes) for axes in figure.axes] == [1, 1, 1, 1, 0]


def test_contours_enclose_their_shares():
    random = np.random.default_rng(0)
    image = np.histogram2d(*random.normal(size=(2, 20000)), bins=30)[0]
    for level, share in zip(enclosing_levels(image), LEVELS, strict=True):
        assert image[image >= level].sum() / image.sum() == pytest.approx(share, abs=0.02)


def test_a_constant_column_still_draws():
    random = np.random.default_rng(0)
    columns = [Column("a", np.full((2, 50), 3.0)), Column("b", random.normal(size=(2, 50)))]
    assert len(corner(columns, width=3.0, names=("a", "b")).axes) == 3


def test_drawing_leaves_the_users_style_alone(artefacts):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    render("cut_flow", artefacts)
    assert dict(mpl.rcParams) == before


def test_a_figure_without_its_artefact_is_refused(artefacts):
    with pytest.raises(InputError, match="needs noise"):
        render("noise_model", {"catalogue": artefacts["catalogue"]})
    with pytest.raises(InputError, match="unknown"):
        render("no_such_figure", artefacts)


def test_another_file_format_is_refused(artefacts, tmp_path):
    with pytest.raises(InputError, match=r"expected a name ending in \.pdf, \.png, \.svg"):
        style.save(render("cut_flow", artefacts), tmp_path / "a.gif", source="real")


def test_an_svg_has_the_same_bytes_each_time(artefacts, tmp_path):
    for name in ("a.svg", "b.svg"):
        style.save(render("cut_flow", artefacts), tmp_path / name, source="real")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
