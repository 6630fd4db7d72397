"""What Snakemake would run after a change, many times over, without starting it each time.

A child of this process, which has Snakemake and the schema of the configuration in memory, reads
the workflow anew in a built folder and plans.  It is Snakemake's own plan, from what it remembers
of the last run; ``test_incremental.py`` asks the program itself, for fewer changes.
"""

import json
import os
import sys
import traceback
from pathlib import Path

from forked import remember_the_package
from snakemake.api import SnakemakeApi
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    OutputSettings,
    Quietness,
    ResourceSettings,
)

from popsed_core.provenance import code_version

LARGE = 1_000_000_000  # [B] as in profiles/default


def planned_jobs(folder, targets, overlays, values=None, modules=()):
    """Return rule and wildcards of each job that would run.

    Args:
        folder: a checkout in which the targets have been made.
        targets: what is asked for.
        overlays: configuration files, as after --configfile.
        values: a tree that goes over them, as after --config.
        modules: modules of the package whose code has changed.

    Raises:
        RuntimeError: Snakemake cannot plan; it has the child's words.
    """
    return _in_a_child(lambda: _plan(folder, targets, overlays, values or {}, modules))


def requests(folder, targets, overlays=(), values=None, attempt=1):
    """Return what each rule's first job asks for: mem_mb [MB], runtime [min], gpu, cores.

    Args:
        folder: a checkout.
        targets: what is asked for.
        overlays: configuration files, as after --configfile.
        values: a tree that goes over them, as after --config.
        attempt: counts the tries of a job, from 1.

    Raises:
        RuntimeError: Snakemake cannot plan; it has the child's words.
    """
    return _in_a_child(lambda: _requests(folder, targets, overlays, values or {}, attempt))


def _in_a_child(work):
    remember_the_package()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _be_silent()
        try:
            answer = {"found": work()}
        except BaseException:  # noqa: BLE001  whatever it is, the parent has to hear of it
            answer = {"error": traceback.format_exc()}
        with os.fdopen(writing, "w") as stream:
            json.dump(answer, stream)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        answer = json.load(stream)
    os.waitpid(child, 0)
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return answer["found"]


def _plan(folder, targets, overlays, values, modules):
    for module in modules:
        code_version._tree_hash = _changed(code_version._tree_hash, module)
    dag = _dag(folder, targets, overlays, values)
    planned = dag.needrun_jobs(exclude_finished=False)
    jobs = [(job.rule.name, dict(job.wildcards_dict)) for job in planned]
    return [job for job in jobs if job[0] not in targets]


def _requests(folder, targets, overlays, values, attempt):
    found = {}
    dag = _dag(folder, targets, overlays, values)
    for job in dag.jobs:
        job.attempt = attempt
        asked = {name: job.resources.get(name) for name in ("mem_mb", "runtime", "gpu")}
        if job.rule.name not in dag.workflow._localrules and not job.is_norun:
            found.setdefault(job.rule.name, {**asked, "cores": job.threads})
    return found


def _dag(folder, targets, overlays, values):
    os.chdir(folder)
    with SnakemakeApi(OutputSettings(dryrun=True, quiet={Quietness.ALL})) as api:
        loaded = api.workflow(
            resource_settings=ResourceSettings(cores=64),
            config_settings=ConfigSettings(configfiles=[Path(p) for p in overlays], config=values),
            snakefile=Path("Snakefile"),
        )
        dag = loaded.dag(DAGSettings(targets=set(targets), max_checksum_file_size=LARGE))
        dag.summary()
        return loaded._workflow.dag


def _changed(tree_hash, module):
    return lambda name: "changed" if name == module else tree_hash(name)


def _be_silent():
    sys.stdout.flush()
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
