"""Emulated spectra: the networks of all segments, with the same call as the exact spectra.

A segment is what :func:`popsed_core.spectra.emulator_fit.fit_segment` returns; an emulator is the
list of them.  It belongs to one SSP table, one stellar-population model and one prior box.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from popsed_core.config import EmulatorConfig, ParameterConfig, SpectraConfig, from_json
from popsed_core.errors import InputError
from popsed_core.spectra.dust import Dust
from popsed_core.spectra.emulator_inputs import INPUTS
from popsed_core.spectra.emulator_network import SegmentNetwork
from popsed_core.spectra.mixture import StellarMixture
from popsed_core.spectra.ssp import SSPGrid
from popsed_core.theta import Theta

Segment = Mapping[str, Any]
SHARED = (
    "emulator",
    "training_set",
    "spectra",
    "parameters",
    "ssp_sha256",
    "chunks_sha256",
    "seed",
)
NOT_LEARNED = ("engine", "n_pixels", "igm")  # keys of `spectra` that leave its spectra as they are


class EmulatedSpectra(StellarMixture):
    """Rest-frame spectra of galaxies on ln-wavelength pixels, per solar mass formed."""

    def __init__(
        self,
        segments: Sequence[Segment],
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
        self.dust = Dust(np.exp(0.5 * (self.edges[1:] + self.edges[:-1])))

    def forward(self, theta: Theta) -> Float[Tensor, "galaxy pixel"]:
        """Return L_nu per solar mass formed, dust included [10^log_unit Lsun / Hz / Msun]."""
        inputs = self.inputs(theta, self)
        light = 10 ** torch.cat([network(inputs) for network in self.networks], dim=1)
        if self.has_screen:
            return light
        return light * self.dust.screen(theta.tau_ism, theta.dust_index)


def assemble(segments: Sequence[Segment], names: Sequence[str]) -> list[Segment]:
    """Return the segments of one emulator in order.

    Args:
        segments: trained segments, in any order.
        names: where each was read from, for the message.

    Raises:
        InputError: a segment is missing, there twice, or of another training.
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
    segments: Sequence[Segment],
    ssp_sha256: str,
    config: SpectraConfig,
    parameters: Mapping[str, ParameterConfig],
    name: str,
) -> None:
    """Raise InputError unless an emulator fits a survey: its table, its model and its box."""
    first = segments[0]
    if first["ssp_sha256"] != ssp_sha256:
        raise InputError(
            f"{name}: trained on the SSP table {first['ssp_sha256'][:12]}, not on this one, "
            f"{ssp_sha256[:12]}; train it anew"
        )
    trained = from_json(SpectraConfig, first["spectra"], name)
    apart = {key: getattr(config, key) for key in NOT_LEARNED}
    if replace(trained, **apart) != config:
        raise InputError(f"{name}: trained with spectra {first['spectra']}; train it anew")
    boxes = from_json(dict[str, ParameterConfig], first["parameters"], name)
    for key, box in parameters.items():
        trained_box = boxes[key]
        is_inside = trained_box.low <= box.low and box.high <= trained_box.high
        if key != "log_stellar_mass" and not is_inside:
            raise InputError(
                f"{name}: trained for {key} in {trained_box.low:g}-{trained_box.high:g}, but "
                f"parameters.{key} is {box.low:g}-{box.high:g}; train it on the wider range"
            )


def fingerprint_of(segments: Sequence[Segment]) -> str:
    """Return a hash of the weights of an emulator; empty for none."""
    digest = hashlib.sha256()
    for segment in segments:
        for name, value in segment["network"].items():
            digest.update(name.encode() + value.numpy().tobytes())
    return digest.hexdigest() if segments else ""


def _cut(segment: Segment, log_range: np.ndarray) -> tuple[np.ndarray, dict[str, Tensor]] | None:
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
