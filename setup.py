"""Puts what the workflow consists of into the package, so that ``popsed run`` works anywhere."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

FOLDER = "popsed_core/checkout"  # popsed_core/files/packaged.py looks there
FILES = (
    "Snakefile", "config.yaml", "CITATION.cff", "config/*.yaml", "profiles/*/*.yaml",
    "workflow/Snakefile", "workflow/rules/*.smk", "workflow/report/*", "envs/popsed.yaml",
    "envs/requirements.lock", "results/bars/*_costs.json",
)  # fmt: skip


class BuildWithWorkflow(build_py):
    """Builds the package, and copies the files of the checkout into it."""

    def run(self) -> None:
        """Build; an editable installation reads the checkout itself."""
        super().run()
        if self.editable_mode:
            return
        for pattern in FILES:
            for path in sorted(Path().glob(pattern)):
                target = Path(self.build_lib, FOLDER, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)


setup(cmdclass={"build_py": BuildWithWorkflow})
