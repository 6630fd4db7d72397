"""External files are data: they are never executed, and cannot lead to other files."""

import ast
import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
import requests
import torch
import yaml

from popsed_core.config import root
from popsed_core.config.base import from_json
from popsed_core.config.downloads import Download
from popsed_core.downloads import git as clone
from popsed_core.downloads.fetch import fetch
from popsed_core.downloads.wheel import extract
from popsed_core.errors import InputError
from popsed_core.files import artefacts
from popsed_core.inference.samples import PopulationSamples
from popsed_core.running.loop import load_plain
from popsed_core.surveys.table_files import read_columns

ROOT = Path(__file__).resolve().parent.parent
PATHS = sorted((ROOT / "popsed_core").rglob("*.py"))
PICKLES = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
FORBIDDEN = {
    "eval", "exec", "compile", "os.system", "os.popen", "tempfile.mktemp", "yaml.load",
    "yaml.full_load", "yaml.unsafe_load", "extractall", "pd.read_pickle",
}  # fmt: skip


class Payload:
    """A malicious pickle, which leaves a file when it is read."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def name_of(call):
    """Return the dotted name that is called."""
    node, parts = call.func, []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *parts[::-1]] if isinstance(node, ast.Name) else parts[::-1])


def offences(text):
    """Return the calls of a source that could execute, or fetch, the content of a file."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [getattr(node, "module", "") or "", *(alias.name for alias in node.names)]
            found += [name for name in names if name.split(".")[0] in PICKLES]
        if not isinstance(node, ast.Call):
            continue
        name, options = name_of(node), {item.arg: ast.unparse(item.value) for item in node.keywords}
        is_bad = name in FORBIDDEN or name.split(".")[-1] in ("extractall", "mktemp")
        is_bad |= name == "torch.load" and options.get("weights_only") != "True"
        is_bad |= options.get("shell") == "True" or options.get("verify") == "False"
        is_bad |= options.get("allow_pickle") == "True"
        found += [name] if is_bad else []
    return found


def test_nothing_read_from_a_file_is_run():
    assert len(PATHS) > 100
    found = {str(path.relative_to(ROOT)): offences(path.read_text()) for path in PATHS}
    assert {name: calls for name, calls in found.items() if calls} == {}


def test_the_search_finds_what_it_looks_for():
    for text in (
        "import pickle", "from joblib import load", "eval('1')", "import os; os.system('ls')",
        "torch.load(path)", "torch.load(path, weights_only=False)", "yaml.load(text)",
        "subprocess.run('ls', shell=True)", "np.load(path, allow_pickle=True)",
        "archive.extractall()", "requests.get(url, verify=False)",
    ):  # fmt: skip
        assert offences(text), text


def test_a_pickle_in_the_place_of_a_member_is_not_run(tmp_path):
    mark = tmp_path / "pwned"
    torch.save({"flow": Payload(mark)}, tmp_path / "member.pt")
    with pytest.raises(InputError, match=r"member\.pt: unreadable"):
        load_plain(tmp_path / "member.pt")
    torch.save({"flow": Payload(mark)}, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    with pytest.raises(InputError, match=r"old\.pt: unreadable"):
        load_plain(tmp_path / "old.pt")
    assert not mark.exists()
    torch.load(tmp_path / "member.pt", weights_only=False)
    assert mark.exists(), "the payload works"


def test_a_configuration_makes_no_objects(tmp_path):
    mark, path = tmp_path / "pwned", tmp_path / "config.yaml"
    path.write_text(f"seed: !!python/object/apply:os.mkdir ['{mark}']\n")
    with pytest.raises(InputError, match=r"config\.yaml: not valid YAML"):
        root.load(path)
    assert not mark.exists()
    yaml.unsafe_load(path.read_text())
    assert mark.exists(), "the payload works"


@pytest.fixture
def secret(tmp_path):
    """Two external files: a table, and plain numbers."""
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["mag"] = np.arange(5.0)
    np.arange(5.0).tofile(tmp_path / "secret.bin")
    return tmp_path


def link(file, folder):
    file["mag"] = h5py.ExternalLink(str(folder / "secret.h5"), "mag")


def external(file, folder):
    file.create_dataset("mag", (5,), "f8", external=[(str(folder / "secret.bin"), 0, 40)])


def virtual(file, folder):
    layout = h5py.VirtualLayout((5,), "f8")
    layout[:] = h5py.VirtualSource(str(folder / "secret.h5"), "mag", (5,))
    file.create_virtual_dataset("mag", layout)


def deep(file, folder):
    file["a/b/c/mag"] = np.arange(5.0)
    file["a/b/c/other"] = h5py.ExternalLink(str(folder / "secret.h5"), "mag")


@pytest.mark.parametrize("make", [link, external, virtual, deep])
def test_a_table_that_leads_to_other_files_is_refused(secret, make):
    path = secret / "table.h5"
    with h5py.File(path, "w") as file:
        file["redshift"] = np.arange(5.0)
        make(file, secret)
    with pytest.raises(InputError, match=r"table\.h5: .*; copy (its content|them) into"):
        read_columns(path, None)
    with pytest.raises(InputError, match=r"table\.h5: .*; copy"):
        artefacts.load(path, PopulationSamples)


def test_groups_within_themselves_are_looked_at_once(tmp_path):
    path = tmp_path / "table.h5"
    with h5py.File(path, "w") as file:
        file["mag"] = np.arange(5.0)
        group = file.create_group("a/b")
        group["up"] = file["a"]
        file["soft"] = h5py.SoftLink("/a/b")
        file["nowhere"] = h5py.SoftLink("/not/there")
    assert read_columns(path, None)["mag"].tolist() == [0, 1, 2, 3, 4]


def test_an_artefact_holds_no_objects(tmp_path):
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        file["mag"] = np.array(["a", "b"], dtype=object)
    with artefacts.open_hdf5(path) as file, pytest.raises(OSError, match="holds objects"):
        artefacts._read_array(file["mag"], path)


def wheel(folder, names):
    path = folder / "data-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in names.items():
            archive.writestr(name, content)
    return path


def download(member, content):
    checksum = hashlib.sha256(content).hexdigest()
    return Download(package="data==1.0", member=member, sha256=checksum)


@pytest.mark.parametrize("name", ["../evil.fits", "/tmp/popsed_evil.fits", "a/../../evil.fits"])
def test_an_archive_writes_nowhere_but_to_the_output(tmp_path, name):
    inner = tmp_path / "inner"
    inner.mkdir()
    path = wheel(tmp_path, {name: b"evil", "data/x.fits": b"good"})
    for member, content in ((name, b"evil"), ("data/x.fits", b"good")):
        extract(path, download(member, content), inner / "x.fits")
        assert (inner / "x.fits").read_bytes() == content
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["data-1.0-py3-none-any.whl", "inner",
                                                           "x.fits"]  # fmt: skip
    assert not Path("/tmp/popsed_evil.fits").exists()


def test_a_link_in_an_archive_is_not_followed(tmp_path):
    path, info = tmp_path / "data-1.0-py3-none-any.whl", zipfile.ZipInfo("data/x.fits")
    info.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, "/etc/hostname")
    extract(path, download("data/x.fits", b"/etc/hostname"), tmp_path / "x.fits")
    assert not (tmp_path / "x.fits").is_symlink()
    assert (tmp_path / "x.fits").read_text() == "/etc/hostname"


def test_a_wrong_checksum_leaves_nothing(tmp_path):
    path = wheel(tmp_path, {"data/x.fits": b"another"})
    with pytest.raises(InputError, match="sha256 is"):
        extract(path, download("data/x.fits", b"good"), tmp_path / "out" / "x.fits")
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://example.org/x.fits", "javascript:x", "-oProxyCommand=x"]
)
def test_only_the_web_is_a_place_to_download_from(url):
    with pytest.raises(InputError, match="urls"):
        from_json(Download, json.dumps({"urls": [url]}), "--section")


def test_an_encrypted_address_never_leads_to_one_that_is_not(tmp_path, monkeypatch):
    def answer(url, **_):
        found = requests.Response()
        found.status_code, found.url, found._content = 200, "http://example.org/x.bin", b""
        found.close = lambda: None
        return found

    monkeypatch.setattr(requests, "get", answer)
    told = "leads to http://example.org/x.bin, which is not encrypted"
    with pytest.raises(InputError, match=told):
        fetch(Download(urls=("https://example.org/x.bin",)), tmp_path / "x.bin", tmp_path / "lock")
    assert not (tmp_path / "x.bin").exists()


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize(
    ("url", "revision"),
    [("--upload-pack=touch pwned", "main"), (".", "--upload-pack=touch pwned"),
     ("ext::sh -c touch% pwned", "main")],
)  # fmt: skip
def test_an_address_of_git_is_no_option_and_no_command(tmp_path, monkeypatch, url, revision):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match="git fetch failed"):
        clone.clone(url, revision, tmp_path / "clone")
    assert not list(tmp_path.rglob("pwned"))


def test_the_lock_is_exact():
    lines = (ROOT / "envs" / "requirements.lock").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert len(pins) > 50
    for line in pins:
        name, version = line.split("==")
        assert name.replace("-", "").replace("_", "").replace(".", "").isalnum(), line
        assert version[0].isdigit(), line
        assert not set(version) & set(" *<>;@"), line
    assert len({line.split("==")[0].lower() for line in pins}) == len(pins)


def test_what_is_installed_fits_together():
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
