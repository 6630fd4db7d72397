"""Emulated spectra: the networks of all segments, with the same call as the exact spectra.

Networks emulate stars.  Gas follows from the weights of the young nodes, and is added exactly.

A segment is what :func:`popsed_core.emulator.fit.fit_segment` returns; an emulator is the
list of them.  It is valid for one SSP table, one stellar-population model and one prior box.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from popsed_core.config.base import from_json
from popsed_core.config.emulator import EmulatorConfig
from popsed_core.config.parameters import ParameterConfig
from popsed_core.config.spectra import SpectraConfig
from popsed_core.emulator.inputs import INPUTS
from popsed_core.emulator.network import SegmentNetwork
from popsed_core.emulator.segment import EmulatorSegment
from popsed_core.errors import InputError
from popsed_core.stellar.dust import Dust
from popsed_core.stellar.mixture import StellarMixture
from popsed_core.stellar.nebular_light import nebular_table
from popsed_core.stellar.node_spectra import NO_LINES, TABLE_TOLERANCE, Lost, NodeSpectra
from popsed_core.stellar.sfh import hat_weights
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.theta import Theta

SHARED = (
    "emulator",
    "training_set",
    "spectra",
    "parameters",
    "ssp_sha256",
    "chunks_sha256",
    "seed",
)
NOT_LEARNED = ("engine", "n_pixels", "igm")  # keys of `spectra` that do not affect its spectra


class EmulatedSpectra(StellarMixture):
    """Rest-frame spectra of galaxies on ln-wavelength pixels, per solar mass formed.

    Attributes:
        line_wave: of emission lines, whose light is in columns behind those of the pixels [AA].
        log_unit: of the spectra [dex(Lsun / Hz / Msun)].
        gas: the light of gas before any dust; None where there is none.
    """

    def __init__(
        self,
        segments: Sequence[EmulatorSegment],
        grid: SSPGrid,
        config: SpectraConfig,
        *,
        max_redshift: float,
        wave_range: tuple[float, float] = (0.0, np.inf),
    ) -> None:
        """Build the networks.

        Args:
            segments: trained segments, all of one emulator.
            grid: the SSP table that they were trained on.
            config: star formation, burst, cosmology.
            max_redshift: up to which ages are tabulated.
            wave_range: segments and pixels beyond are left out [AA].
        """
        super().__init__(grid, config, max_redshift)
        settings = from_json(EmulatorConfig, segments[0]["emulator"], "emulator")
        self.has_screen = settings.target == "full"
        self.inputs = INPUTS[settings.inputs](self, self.has_screen)
        shown = [_cut(segment, np.log(np.maximum(wave_range, 1.0))) for segment in segments]
        shown = [part for part in shown if part is not None]
        self.edges = np.concatenate([shown[0][0][:1], *(edges[1:] for edges, _ in shown)])
        self.log_unit = float(torch.cat([state["mean"] for _, state in shown]).median())
        self.networks = torch.nn.ModuleList(
            _network(state, settings, self.log_unit) for _, state in shown
        )
        self.networks.requires_grad_(False)
        wave = np.exp(0.5 * (self.edges[1:] + self.edges[:-1]))
        self.gas, self.line_wave = None, NO_LINES
        if grid.has_nebular:
            table, self.line_wave = nebular_table(grid, self.edges, self.log_unit, TABLE_TOLERANCE)
            self.gas = NodeSpectra(table, n_pixels=len(wave) + len(self.line_wave))
        self.dust = Dust(np.concatenate([wave, self.line_wave]))

    @property
    def has_nebular(self) -> bool:
        """Whether there is gas, and so whether ``f_lost`` matters."""
        return self.gas is not None

    def forward(self, theta: Theta, f_lost: Lost | None = None) -> Float[Tensor, "galaxy pixel"]:
        """Return L_nu per solar mass formed, dust included [10^log_unit Lsun / Hz / Msun].

        Args:
            theta: physical parameters.
            f_lost: share of the ionising photons that is lost; None: 0.
        """
        inputs = self.inputs(theta, self)
        stars = 10 ** torch.cat([network(inputs) for network in self.networks], dim=1)
        stars = torch.nn.functional.pad(stars, (0, len(self.line_wave)))
        screen = None
        if self.has_nebular or not self.has_screen:
            screen = self.dust.screen(theta.tau_ism, theta.dust_index)
        light = stars if self.has_screen else stars * screen
        return light if self.gas is None else light + self.nebular(theta, f_lost) * screen

    def nebular(self, theta: Theta, f_lost: Lost | None = None) -> Float[Tensor, "galaxy pixel"]:
        """Return the light of gas before the diffuse screen [10^log_unit Lsun / Hz / Msun]."""
        young, _ = self.age_weights(theta)
        metals = hat_weights(self.logzsol, theta.logzsol)
        return self.gas(young, metals, f_lost) * self.dust.birth_cloud(theta.tau_bc)


def assemble(segments: Sequence[EmulatorSegment], names: Sequence[str]) -> list[EmulatorSegment]:
    """Return the segments of one emulator in order.

    Args:
        segments: trained segments, in any order.
        names: where each was read from, for the message.

    Raises:
        InputError: a segment is missing, duplicated, or from another training.
    """
    first = segments[0]
    for segment, name in zip(segments, names, strict=True):
        for key in SHARED:
            if segment[key] != first[key]:
                raise InputError(
                    f"{name}: {key} differs from that of {names[0]}; train all segments alike"
                )
    n_segments = from_json(EmulatorConfig, first["emulator"], names[0]).n_segments
    found = sorted(segment["segment"] for segment in segments)
    if found != list(range(n_segments)):
        raise InputError(
            f"{names[0]}: emulator has segments {found}, expected {list(range(n_segments))}; "
            "train the missing ones with `popsed emulator train`"
        )
    return sorted(segments, key=lambda segment: segment["segment"])


def check_emulator(
    segments: Sequence[EmulatorSegment],
    ssp_sha256: str,
    config: SpectraConfig,
    parameters: Mapping[str, ParameterConfig],
    name: str,
) -> None:
    """Raise InputError unless an emulator suits a survey: its table, its model and its box."""
    first = segments[0]
    if first["ssp_sha256"] != ssp_sha256:
        raise InputError(
            f"{name}: trained on the SSP table {first['ssp_sha256'][:12]}, not on this one, "
            f"{ssp_sha256[:12]}; retrain it"
        )
    trained = from_json(SpectraConfig, first["spectra"], name)
    apart = {key: getattr(config, key) for key in NOT_LEARNED}
    if replace(trained, **apart) != config:
        raise InputError(f"{name}: trained with spectra {first['spectra']}; retrain it")
    boxes = from_json(dict[str, ParameterConfig], first["parameters"], name)
    for key, box in parameters.items():
        trained_box = boxes[key]
        is_inside = trained_box.low <= box.low and box.high <= trained_box.high
        if key != "log_stellar_mass" and not is_inside:
            raise InputError(
                f"{name}: trained for {key} in {trained_box.low:g}-{trained_box.high:g}, but "
                f"parameters.{key} is {box.low:g}-{box.high:g}; train it on the wider range"
            )


def fingerprint_of(segments: Sequence[EmulatorSegment]) -> str:
    """Return a hash of the weights of an emulator; empty for none."""
    digest = hashlib.sha256()
    for segment in segments:
        for name, value in segment["network"].items():
            digest.update(name.encode() + value.numpy().tobytes())
    return digest.hexdigest() if segments else ""


def _cut(
    segment: EmulatorSegment, log_range: np.ndarray
) -> tuple[np.ndarray, dict[str, Tensor]] | None:
    """Return edges and network of a segment without the pixels outside a range of ln(AA)."""
    edges = segment["edges"].numpy()
    first = max(int(np.searchsorted(edges, log_range[0], side="right")) - 1, 0)
    last = min(int(np.searchsorted(edges, log_range[1], side="left")), len(edges) - 1)
    if last <= first:
        return None
    state = dict(segment["network"])
    for name in ("mean", "components"):
        state[name] = state[name][..., first:last]
    return edges[first : last + 1], state


def _network(state: dict[str, Tensor], settings: EmulatorConfig, log_unit: float) -> SegmentNetwork:
    n_components, n_pixels = state["components"].shape
    network = SegmentNetwork(
        len(state["input_mean"]), n_components, n_pixels, settings.n_hidden, settings.n_layers
    )
    network.load_state_dict({**state, "mean": state["mean"] - log_unit})
    return network
