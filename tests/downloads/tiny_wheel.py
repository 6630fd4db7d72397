"""A made-up wheel with one table, shared by the tests of downloads."""

import hashlib
import zipfile

CONTENT = b"ten thousand galaxies\n" * 1000
MEMBER = "tiny_data/data/table.bin"
METADATA = "Metadata-Version: 2.1\nName: tiny-data\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def sha(content):
    return hashlib.sha256(content).hexdigest()


def make_wheel(folder):
    folder.mkdir(exist_ok=True, parents=True)
    path = folder / "tiny_data-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MEMBER, CONTENT)
        archive.writestr("tiny_data-1.0.dist-info/METADATA", METADATA)
        archive.writestr("tiny_data-1.0.dist-info/WHEEL", WHEEL)
        archive.writestr("tiny_data-1.0.dist-info/RECORD", "")
    return path


def files_below(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
