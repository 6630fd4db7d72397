"""Snakemake's own command line in a child that has its libraries in memory already.

Starting a program that imports Snakemake and its plugins costs more than what it then does in a
dry run.  The child forgets all it has of the package, and reads the folder's own.
"""

import os
import subprocess
import sys
import tempfile
import traceback

import snakemake.cli

import popsed_core.cli  # noqa: F401  brings what the package stands on

DRY = frozenset({"-n", "--summary", "--lint", "--list"})


def run(folder, words, environment):
    """Run Snakemake in a folder and return what ``subprocess.run`` would."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as error:
        child = os.fork()
        if child == 0:
            _become(folder, words, environment, out, error)
        _, status = os.waitpid(child, 0)
        for stream in (out, error):
            stream.seek(0)
        code = os.waitstatus_to_exitcode(status)
        return subprocess.CompletedProcess(words, code, out.read(), error.read())


def _become(folder, words, environment, out, error):
    code = 1
    try:
        os.dup2(out.fileno(), 1)
        os.dup2(error.fileno(), 2)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        for name in [name for name in sys.modules if name.split(".")[0] == "popsed_core"]:
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
