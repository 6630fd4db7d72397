"""Saved fits: whole, checked, and refused in one line where they are not."""

import json
import zipfile

import pytest

import popsed_core as popsed


@pytest.fixture(scope="module")
def path(fit, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "mine.popsed"
    fit.save(path)
    return path


def rewritten(path, folder, **changes):
    """A copy in which some parts are others."""
    copy = folder / "changed.popsed"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            new.writestr(name, changes.get(name.split(".")[0], old.read(name)))
    return copy


def manifest_of(path):
    with zipfile.ZipFile(path) as archive:
        return json.loads(archive.read("manifest.json"))


def test_it_records_version_and_checksums(path):
    manifest = manifest_of(path)
    assert manifest["popsed_version"] == popsed.__version__
    parts = {"config.json", "catalogue.h5", "reference.h5", "noise.h5", "ssp.h5"}
    assert set(manifest["sha256"]) == parts | {"member_1.pt", "member_2.pt"}


@pytest.mark.parametrize("part", ["catalogue", "member_1", "config"])
def test_another_part_is_noticed(part, path, tmp_path):
    with pytest.raises(popsed.InputError, match="is not what was saved; take a whole copy"):
        popsed.load(rewritten(path, tmp_path, **{part: b"another"}))


@pytest.mark.parametrize("n_bytes", [0, 100, 50_000])
def test_half_a_file_is_noticed(n_bytes, path, tmp_path):
    half = tmp_path / "half.popsed"
    half.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(popsed.InputError, match="no saved fit, or damaged"):
        popsed.load(half)


def test_a_later_format_says_so(path, tmp_path):
    later = manifest_of(path) | {"format": 99, "popsed_version": "9.0"}
    copy = rewritten(path, tmp_path, manifest=json.dumps(later))
    with pytest.raises(popsed.InputError, match=r"format 99 of popsed 9\.0.*update popsed"):
        popsed.load(copy)


def test_a_part_cannot_leave_its_folder(path, tmp_path):
    manifest = manifest_of(path)
    evil = tmp_path / "evil.popsed"
    with zipfile.ZipFile(evil, "w") as archive:
        archive.writestr("manifest.json", json.dumps(manifest | {"sha256": {"../x": "0" * 64}}))
        archive.writestr("../x", b"")
    with pytest.raises(popsed.InputError, match="is not what was saved"):
        popsed.load(evil)


def test_no_file_is_said(tmp_path):
    with pytest.raises(popsed.InputError, match="no such file"):
        popsed.load(tmp_path / "none.popsed")


def test_a_failed_save_leaves_the_old_file(fit, path, monkeypatch):
    from popsed_core.api import archive

    before = path.read_bytes()
    monkeypatch.setattr(archive, "save_plain", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        fit.save(path)
    assert path.read_bytes() == before
    assert [item.name for item in path.parent.iterdir()] == [path.name]
