"""What jobs ask for: cores, GPUs, memory [MB] and time [min], the same on every machine.

The numbers are of measured jobs (docs/cluster.md, `make bar-cluster BARS="--only costs"`), with room
above.  Partitions and accounts are a cluster's own and stand in its profile.
"""

import subprocess

from snakemake.exceptions import WorkflowError

SCHEDULER_MB = 500  # [MB] Snakemake itself, twice, inside each job of a cluster
# jobs that train ask for a GPU where only a GPU will do; a profile may ask for one too
N_GPUS = int(CONFIG.runtime.device == "cuda")
N_GPUS_TOGETHER = int(
    CONFIG.runtime.device != "cpu"
)  # flows together are there to fill one


def growing(need, more=0):
    """Ask for a need (or for what a survey needs), and twice or three times that when tried again."""

    def ask(wildcards, attempt):
        own = need(wildcards.survey) if callable(need) else need
        return (own + more) * attempt

    return ask


def memory(need):
    """The same of a job's own memory [MB], with what Snakemake takes beside it."""
    return growing(need, SCHEDULER_MB)


def fit_memory(survey, n_members=1):
    """Memory [MB] of training flows together."""
    fit = CONFIG.fit_for(survey)
    thousands = fit.n_samples * n_members / 1000
    # the blocks of a flow keep their knots for the gradient
    knots = fit.flow.n_blocks * fit.flow.n_bins / 96
    need = 1000 + 60 * thousands * (1 + knots)
    if (
        fit.distance.kind == "sinkhorn"
    ):  # pairs of galaxies, in double precision, some at a time
        need += 5 * 8e-6 * fit.n_samples**2
    return int(need)


def fit_minutes(survey, n_members=1):
    """Time [min] of training flows together: ten times what two cores take at the defaults."""
    fit = CONFIG.fit_for(survey)
    steps = fit.n_epochs * fit.n_steps * fit.n_samples / 1000 * n_members
    return 30 + int(steps / 60)


def check_accounting(settings):
    """Stop before a cluster is asked for the fate of jobs in words that it does not understand."""
    if getattr(settings, "status_command", None) != "sacct":
        return
    told = subprocess.run(
        ["scontrol", "show", "config"], capture_output=True, text=True
    )
    if "AccountingStorageType   = accounting_storage/none" in told.stdout:
        raise WorkflowError(
            "slurm-status-command: got sacct, but this cluster keeps no accounts, so that no job"
            " would ever be seen to end; write `slurm-status-command: squeue` into"
            " profiles/slurm/config.yaml"
        )
