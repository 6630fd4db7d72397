"""Snakemake's own command line in a child that has its libraries in memory already.

Starting a program that imports Snakemake and its plugins costs more than what it then does in a
dry run.  Where the folder's package is another than ours, if by one byte, the child forgets all it
has of ours and reads the folder's own; where it is the same, the child has it in memory, hashes and
all.
"""

import os
import subprocess
import sys
import tempfile
import traceback
from functools import cache

import snakemake.cli

import popsed_core.cli
import popsed_core.config.root  # noqa: F401
from popsed_core.provenance import code_version

DRY = frozenset({"-n", "--summary", "--lint", "--list"})


@cache
def remember_the_package():
    """Hash all modules once, for all children to come; return what they are."""
    paths = sorted((code_version.ROOT / code_version.PACKAGE).rglob("*.py"))
    for path in paths:
        name = ".".join(path.relative_to(code_version.ROOT).with_suffix("").parts)
        code_version.import_closure(name.removesuffix(".__init__"))
        code_version._tree_hash(name.removesuffix(".__init__"))
    return {path.relative_to(code_version.ROOT): path.read_bytes() for path in paths}


def is_ours(folder):
    """Say whether a folder has the same package as this process, byte for byte."""
    ours = remember_the_package()
    theirs = {path.relative_to(folder) for path in (folder / "popsed_core").rglob("*.py")}
    return theirs == set(ours) and all(
        (folder / name).read_bytes() == content for name, content in ours.items()
    )


def run(folder, words, environment):
    """Run Snakemake in a folder and return what ``subprocess.run`` would."""
    is_same = is_ours(folder)
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as error:
        child = os.fork()
        if child == 0:
            _become(folder, words, environment, out, error, is_same)
        _, status = os.waitpid(child, 0)
        for stream in (out, error):
            stream.seek(0)
        code = os.waitstatus_to_exitcode(status)
        return subprocess.CompletedProcess(words, code, out.read(), error.read())


def _become(folder, words, environment, out, error, is_same):
    code = 1
    try:
        os.dup2(out.fileno(), 1)
        os.dup2(error.fileno(), 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        ours = [name for name in sys.modules if name.split(".")[0] == "popsed_core"]
        for name in ours if not is_same else ():
            del sys.modules[name]
        sys.path.insert(0, str(folder))
        # the tests' own check of shapes is no part of the program
        sys.meta_path[:] = [x for x in sys.meta_path if "jaxtyping" not in type(x).__module__]
        snakemake.cli.main(list(words))
        code = 0
    except SystemExit as end:
        code = end.code or 0
        if isinstance(code, str):
            sys.stderr.write(code + "\n")
            code = 1
    except BaseException:  # noqa: BLE001  whatever it is, the parent has to hear of it
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
