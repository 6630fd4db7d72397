"""Audit the locked packages: exact versions, licences, and known vulnerabilities.

    python envs/audit.py            # exit 1 if anything is wrong

Vulnerabilities are asked of the Open Source Vulnerabilities database (https://osv.dev); where it
cannot be reached that is said, and is no failure: a machine without a network can still test.
"""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

LOCK = Path(__file__).resolve().parent / "requirements.lock"
DATABASE = "https://api.osv.dev/v1/querybatch"
TIMEOUT = 20  # [s]
PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([0-9][A-Za-z0-9.!+_-]*)$")
FREE = re.compile(
    r"\b(MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|Unlicense|Zlib|0BSD|HPND|"
    r"MIT-CMU|CC0|Public Domain|matplotlib)\b",
    re.IGNORECASE,
)
COPYLEFT = re.compile(r"\b(AGPL|GPL|Affero|GNU General)\b", re.IGNORECASE)
ALLOWED = {  # package: why it is fine although its metadata do not say so
    "conda-inject": "MIT, by its repository",
    "docutils": "public domain and BSD; only its Emacs mode is GPL",
    "enum-tools": "LGPL, and only a tool of the tests needs it",
    "owlrl": "W3C software licence, as free as MIT",
    "snakemake-interface-common": "MIT, by its repository",
    "snakemake-interface-logger-plugins": "MIT, by its repository",
    "snakemake-interface-report-plugins": "MIT, by its repository",
    "snakemake-interface-scheduler-plugins": "MIT, by its repository",
    "snakemake-interface-storage-plugins": "MIT, by its repository",
}


def pins(lock: Path) -> dict[str, str]:
    """Return the locked version of each package.

    Raises:
        ValueError: a line is no exact version.
    """
    found = {}
    for line in lock.read_text().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        match = PIN.match(line)
        if match is None:
            raise ValueError(f"{lock}: {line!r} is no exact version (name==1.2.3)")
        found[match[1]] = match[2]
    return found


def licence_of(package: str) -> str:
    """Return what a package says of its licence: expression, classifiers, field."""
    found = metadata(package)
    texts = [found.get("License-Expression") or "", *found.get_all("Classifier", [])]
    texts = [text for text in texts if text and ("License" in text or "::" not in text)]
    field = (found.get("License") or "").strip()
    return "; ".join([*texts, *field.splitlines()[:1]])


def bad_licences(packages: dict[str, str]) -> Iterator[str]:
    """Yield packages whose licence is not known to be free enough to go with MIT."""
    for package in packages:
        if package in ALLOWED:
            continue
        try:
            text = licence_of(package)
        except PackageNotFoundError:
            yield f"{package}: not installed"
            continue
        if not FREE.search(text) or (COPYLEFT.search(text) and "LGPL" not in text):
            yield f"{package}: licence {text[:80]!r}"


def vulnerabilities(packages: dict[str, str], database: str) -> list[str]:
    """Return the known vulnerabilities of the locked versions.

    Raises:
        OSError: the database cannot be reached.
        ValueError: it answers something else.
    """
    queries = [
        {"package": {"name": name, "ecosystem": "PyPI"}, "version": version}
        for name, version in packages.items()
    ]
    request = urllib.request.Request(
        database, json.dumps({"queries": queries}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        results = json.load(answer)["results"]
    found = []
    for (name, version), result in zip(packages.items(), results, strict=True):
        found += [f"{name} {version}: {item['id']}" for item in result.get("vulns", [])]
    return found


def main() -> int:
    """Print what was found; return the exit status."""
    packages = pins(LOCK)
    problems = list(bad_licences(packages))
    checked = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False
    )
    problems += [checked.stdout.strip()] if checked.returncode else []
    lines = [f"{len(packages)} packages, each of an exact version"]
    try:
        found = vulnerabilities(packages, os.environ.get("POPSED_OSV", DATABASE))
        problems += found
        lines.append(f"vulnerabilities: {len(found)} known")
    except (OSError, ValueError, KeyError, urllib.error.URLError) as error:
        lines.append(f"vulnerabilities: NOT CHECKED, the database cannot be reached ({error})")
    sys.stdout.write("\n".join([*lines, *problems]) + "\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
