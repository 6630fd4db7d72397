"""Training spectra by FSPS itself, galaxy by galaxy: the recipe of the released code.

A sum of SSPs at the arithmetic mid-points of 0.1 dex time bins, each behind both components of
dust, and a burst that sees the diffuse screen only (Li et al. 2023, section 2.2; PROVABGS, Hahn et
al. 2023).  Of the exact engine it uses only the masses of the bins, and is a hundred
times slower.  Unlike the engine, FSPS adds dust emission (beyond 1 micron) and extrapolates below
its lowest metallicity.
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from popsed_core.config.spectra import SpectraConfig
from popsed_core.errors import InputError
from popsed_core.stellar.cosmology import CosmologyTable
from popsed_core.stellar.sfh import EDGE_STEP, FIRST_EDGE, N_EDGES, Histories, simplex_fractions
from popsed_core.stellar.ssp.fsps import RECIPE_COLUMNS, installed_build
from popsed_core.stellar.ssp.fsps_data import check_data
from popsed_core.stellar.ssp.fsps_process import Arrays, FSPSChild
from popsed_core.stellar.ssp.grid import SSPGrid
from popsed_core.stellar.wavelength import rebin
from popsed_core.theta import Theta

PER_CHILD = 200  # galaxies: FSPS takes seconds to start and 0.1-0.4 s for each
QUESTION = "question.npz"
RECIPE = ("bins", "released")  # spectra.star_formation and spectra.burst of the released code


class FSPSSpectra:
    """The spectra of a block of galaxies by FSPS, one child per thread of torch.

    Attributes:
        block_size: galaxies per call.
    """

    def __init__(self, grid: SSPGrid, config: SpectraConfig, sps_home: Path) -> None:
        """Check that FSPS can run, and that it is the one that made the SSP table.

        Args:
            grid: the table that FSPS made; its wavelengths are those of the spectra.
            config: star formation, burst, cosmology.
            sps_home: the FSPS data.

        Raises:
            InputError: FSPS or its data are missing or not those of the table, or the settings
                are not the released code's.
        """
        if (config.star_formation, config.burst) != RECIPE:
            raise InputError(
                f"training_set.method: fsps follows the released code, but spectra.star_formation "
                f"is {config.star_formation} and spectra.burst is {config.burst}; set them to bins "
                "and released, or the method to table"
            )
        build = installed_build()
        if grid.library != str(build):
            raise InputError(
                f"training_set.method: fsps needs the SSP table of what is installed, {build}, but "
                f"the table is {grid.library}; set ssp.reader to fsps and rebuild the table"
            )
        check_data(build, sps_home)
        self.wave, self.imf, self.sps_home = grid.ssp_wave, grid.imf, sps_home
        self.cosmology, self.histories = config.cosmology, Histories()
        self.block_size = PER_CHILD * torch.get_num_threads()

    def __call__(self, theta: Theta) -> Float[np.ndarray, "galaxy wave"]:
        """Return L_nu per solar mass, dust included [Lsun / Hz / Msun].

        Raises:
            InputError: FSPS stopped.
        """
        highest = float(theta.redshift.max())
        age = CosmologyTable(self.cosmology, max(highest, 1e-3)).age_gyr(theta.redshift)
        question = {"wave": self.wave, **self._bins(theta, age)}
        question["rows"] = torch.stack([getattr(theta, name) for name in RECIPE_COLUMNS], 1).numpy()
        rows = np.array_split(np.arange(len(age)), torch.get_num_threads())
        with ExitStack() as stack:
            children = [self._start(stack, question, part) for part in rows if part.size]
            return np.concatenate([child.result()["lnu"] for child in children])

    def _bins(self, theta: Theta, age: Float[Tensor, "galaxy"]) -> Arrays:
        """Return mid-point age [Gyr] and mass share of each time bin; how many bins there are."""
        log_edges = FIRST_EDGE + EDGE_STEP * torch.arange(N_EDGES, dtype=age.dtype)
        edges = torch.cat([torch.zeros(1, dtype=age.dtype), 10 ** (log_edges - 9)])
        edges = torch.minimum(torch.cat([edges, edges.new_tensor([torch.inf])]), age[:, None])
        mass = self.histories.cumulative(edges[:, 1:].flatten())[0]
        mass = mass.unflatten(0, (len(age), -1)) * simplex_fractions(theta)[:, None]
        formed = torch.nn.functional.pad(mass.sum(2), (1, 0))
        return {
            "n_bins": (edges[:, :-1] < age[:, None]).sum(1).numpy(),
            "ages": (0.5 * (edges[:, 1:] + edges[:, :-1])).numpy(),
            "masses": (formed.diff(dim=1) / formed[:, -1:]).numpy(),
        }

    def _start(self, stack: ExitStack, question: Arrays, rows: np.ndarray) -> FSPSChild:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="popsed-fsps-")))
        mine = {name: array if name == "wave" else array[rows] for name, array in question.items()}
        np.savez(folder / QUESTION, **mine)
        request = {"imf": self.imf, "question": str(folder / QUESTION)}
        child = FSPSChild("recipe", request, self.sps_home, folder)
        stack.callback(child.stop)
        return child


class FSPSTrainingSpectra:
    """The spectra of ``FSPSSpectra`` as stored in the training set: logarithms on its pixels."""

    def __init__(
        self, spectra: FSPSSpectra, edges: np.ndarray | None, wave: np.ndarray, ends: np.ndarray
    ) -> None:
        """Take the spectra and the pixels.

        Args:
            spectra: what makes them.
            edges: of pixels to average over, as ln(AA); None: the table's own wavelengths.
            wave: of the pixels [AA].
            ends: edges of the pixels [AA].
        """
        self.spectra, self.edges, self.wave, self.wave_edges = spectra, edges, wave, ends
        self.block_size = spectra.block_size

    def __call__(self, theta: Theta) -> Float32[np.ndarray, "galaxy pixel"]:
        """Return log10 L_nu per solar mass, dust included [dex(Lsun / Hz / Msun)].

        Raises:
            InputError: FSPS stopped.
            FloatingPointError: a galaxy has no light at a wavelength.
        """
        light = self.spectra(theta)
        if self.edges is not None:
            light = rebin(self.spectra.wave, light, self.edges)
        if not np.all(light > 0):
            dark = self.wave[np.flatnonzero(~np.all(light > 0, axis=0))[0]]
            raise FloatingPointError(
                f"training set: FSPS gives a galaxy no light at {dark:.0f} AA; raise "
                "training_set.wave_low or parameters.logzsol.low"
            )
        return np.log10(light).astype(np.float32)
