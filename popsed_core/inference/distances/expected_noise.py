"""Characteristic functions of the survey's noise, band by band, as tables over true magnitude.

A galaxy of true magnitude m is observed at x, and

    C(k; m) = E[exp(i k (x - mu(m)))],    mu(m) = E[x],

is the sum over a grid of magnitudes of the density of x: a Gaussian in flux, truncated as in
``photometry/noise.py``, averaged over the scatter of the flux errors.  About its mean the
function is smooth in m from the brightest galaxies to those far below the cuts, where x no longer
follows m, so that interpolation between nodes is good.

Independent errors of the model, e ~ N(0, sigma^2) added to m, are averaged in the same way:
E_e[exp(i k e) C(k; m + e)].
"""

from typing import NamedTuple

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from popsed_core.constants import MAG_PER_LN
from popsed_core.photometry.noise import MAX_LIFT, NORMAL, NoiseModel

FIRST, LAST, STEP = 8.0, 34.0, 0.05  # [mag] nodes of true magnitude
N_GRID = 512  # of the observed magnitudes of one node
REACH = 6.0  # [sigma] of the flux, beyond which its density is left out
SMALLEST = 1e-4  # [sigma] of the flux: what a noise that is only kept positive leaves out
SCATTER = torch.linspace(-4, 4, 25, dtype=torch.float64)  # [sigma] nodes of the flux errors
ERROR = torch.linspace(-5, 5, 33, dtype=torch.float64)  # [sigma] nodes of the model's error
CHUNK = 64  # nodes whose sums are made at a time


class NoiseTables(NamedTuple):
    """Values at nodes of true magnitude, ``FIRST`` + ``STEP`` j.

    Attributes:
        bias: E[x] - m [mag].
        response: C(k; m).
    """

    bias: Float[Tensor, "band node"]
    response: Complex[Tensor, "band node frequency"]


def noise_tables(
    noise: NoiseModel, k: Float[Tensor, "band frequency"], model_error: float
) -> NoiseTables:
    """Make the tables, in double precision on the CPU.

    Args:
        noise: the survey's noise, in float64 on the CPU.
        k: frequencies [1/mag].
        model_error: scatter of the model's independent errors per band [mag].
    """
    n_nodes = round((LAST - FIRST) / STEP) + 1
    mag = FIRST + STEP * torch.arange(n_nodes, dtype=torch.float64)
    parts = [_chunk(noise, part, k) for part in mag.split(CHUNK)]
    bias = torch.cat([part.bias for part in parts], dim=1)
    tables = NoiseTables(bias, torch.cat([part.response for part in parts], dim=1))
    return tables if model_error == 0 else _with_model_error(tables, k, model_error)


def _chunk(
    noise: NoiseModel, mag: Float[Tensor, "node"], k: Float[Tensor, "band frequency"]
) -> NoiseTables:
    offset, weight = _density(noise, mag, len(k))
    bias = (offset * weight).sum(2)
    centred = offset - bias[:, :, None]
    bands = []
    for x, w, frequency in zip(centred.float(), weight.float(), k.float(), strict=True):
        phase = x[:, :, None] * frequency
        sums = [torch.bmm(w[:, None], part(phase))[:, 0] for part in (torch.cos, torch.sin)]
        bands.append(torch.complex(*sums))
    return NoiseTables(bias, torch.stack(bands).to(torch.complex128))


def _density(
    noise: NoiseModel, mag: Float[Tensor, "node"], n_bands: int
) -> tuple[Float[Tensor, "band node grid"], Float[Tensor, "band node grid"]]:
    """Return grids of x - m [mag] and the probability of each of their points."""
    maggies = (10 ** (-0.4 * mag))[:, None].expand(-1, n_bands)
    sigma, least = _errors(noise, maggies)
    flux = maggies.T[:, :, None]
    # fluxes further below the cut than MAX_LIFT are limited to what MAX_LIFT can reach
    least = torch.minimum(least, flux + MAX_LIFT * sigma)
    reach = (flux - least) / sigma
    start = torch.maximum(least, flux - REACH * sigma).clamp(min=SMALLEST * sigma).amin(2)
    lifted = (-reach).clamp(min=0)
    end = (flux + (lifted.square() + REACH**2).sqrt() * sigma).amax(2)
    share = torch.linspace(0, 1, N_GRID, dtype=mag.dtype)
    grid = torch.lerp(start.log()[..., None], end.log()[..., None], share).exp()
    weight = torch.zeros_like(grid)
    for draw, error, bound, pull in zip(
        SCATTER, sigma.unbind(2), least.unbind(2), reach.unbind(2), strict=True
    ):
        scaled = (grid - flux) / error[..., None]
        total = NORMAL * error * torch.special.ndtr(pull) * torch.exp(0.5 * draw**2)
        weight += torch.exp(-0.5 * scaled.square()) * (grid >= bound[..., None]) / total[..., None]
    weight *= grid  # per logarithm of the flux
    weight[..., [0, -1]] /= 2
    offset = -MAG_PER_LN * (grid / flux).log()
    return offset, weight / weight.sum(2, keepdim=True)


def _errors(
    noise: NoiseModel, maggies: Float[Tensor, "node band"]
) -> tuple[Float[Tensor, "band node draw"], Float[Tensor, "band node draw"]]:
    """Return flux errors over their scatter, and the least flux that passes with each [maggies]."""
    centre = noise.typical_draw(maggies)
    sigma = torch.stack([noise.sigma(maggies, centre + draw).T for draw in SCATTER], dim=2)
    return sigma, torch.maximum(noise.least[:, None, None], noise.min_snr * sigma)


def _with_model_error(
    tables: NoiseTables, k: Float[Tensor, "band frequency"], model_error: float
) -> NoiseTables:
    weight = torch.exp(-0.5 * ERROR.square())
    shifts = model_error * ERROR
    moved = [(_shifted(tables.bias[..., None], e)[..., 0] + e, e) for e in shifts]
    pairs = list(zip(weight / weight.sum(), moved, strict=True))
    bias = torch.stack([share * each for share, (each, _) in pairs]).sum(0)
    response = torch.zeros_like(tables.response)
    for share, (each, e) in pairs:
        phase = (each - bias)[:, :, None] * k[:, None]
        response += (
            share * torch.polar(torch.ones_like(phase), phase) * _shifted(tables.response, e)
        )
    return NoiseTables(bias, response)


def _shifted(table: Tensor, shift: Float[Tensor, ""]) -> Tensor:
    """Return a table (band, node, column) at magnitudes moved by ``shift``; its ends are held."""
    n = table.shape[1]
    position = (torch.arange(n) + shift / STEP).clamp(0, n - 1)
    cell = position.floor().long().clamp(max=n - 2)
    share = (position - cell)[:, None]
    return torch.lerp(table[:, cell], table[:, cell + 1], share.to(table.dtype))
