"""A real Slurm on the loopback address: one node, eight CPUs, two GPUs that only count.

Started and stopped by pid, without systemd.  The configuration has to lie at /etc/slurm, because
Snakemake takes all variables of Slurm away from its jobs: a machine that has one of its own is
left alone.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

DAEMONS = ("munged", "slurmctld", "slurmd")
NEEDED = (*DAEMONS, "sbatch", "squeue", "scancel", "sinfo")
PACKAGES = "apt-get install slurmctld slurmd slurm-client munge"
ETC = Path("/etc/slurm")
FILES = ("slurm.conf", "gres.conf")
PATIENCE = 30  # [s] for the node to be there
CONF = """\
ClusterName=popsed
SlurmctldHost={host}(127.0.0.1)
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
# no cgroups: memory is looked at every second instead
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/jobs.txt
TaskProlog={folder}/prolog
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=2,batch_sched_delay=0
ReturnToService=2
KillWait=2
MinJobAge=900
DefMemPerCPU=500
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=16 RealMemory=24000 Gres=gpu:fake:2 State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES MaxTime=INFINITE State=UP
PartitionName=gpu Nodes={host} MaxTime=INFINITE State=UP
"""
PROLOG = """\
#!/bin/sh
echo "$SLURM_JOB_ID $SLURM_JOB_PARTITION ${{CUDA_VISIBLE_DEVICES:-none}}" >> {folder}/devices.txt
"""


class Slurm:
    """The daemons of one cluster, in a folder of their own."""

    def __init__(self, folder):
        self.folder = folder
        self.host = socket.gethostname().split(".")[0]

    def start(self):
        """Start all daemons and wait for the node."""
        (self.folder / "munge").mkdir(mode=0o700, parents=True)
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        self.folder.chmod(0o755)
        key = self.folder / "munge" / "key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o600)
        for index in range(2):  # like /dev/null: Slurm numbers only what is a device
            os.mknod(self.folder / f"gpu{index}", 0o666 | 0o020000, os.makedev(1, 3))
        values = {"host": self.host, "folder": self.folder}
        (self.folder / "slurm.conf").write_text(CONF.format(**values))
        gres = f"NodeName={self.host} Name=gpu Type=fake File={self.folder}/gpu[0-1]\n"
        (self.folder / "gres.conf").write_text(gres)
        prolog = self.folder / "prolog"
        prolog.write_text(PROLOG.format(**values))
        prolog.chmod(0o755)
        ETC.mkdir(exist_ok=True)
        for name in FILES:
            (ETC / name).unlink(missing_ok=True)
            (ETC / name).symlink_to(self.folder / name)
        self._daemons(key)
        self._await_node()

    def _daemons(self, key):
        munge = [
            f"--key-file={key}", f"--socket={self.folder}/munge.socket",
            f"--pid-file={self.folder}/munged.pid", f"--log-file={self.folder}/munged.log",
            f"--seed-file={self.folder}/munge/seed",
        ]  # fmt: skip
        env = {name: value for name, value in os.environ.items() if name != "SLURM_CONF"}
        for command in (["munged", "--force", *munge], ["slurmctld", "-c"], ["slurmd"]):
            if command == ["slurmd"]:
                command = ["slurmd", "-N", self.host]
            with (self.folder / f"{command[0]}.out").open("w") as log:
                subprocess.run(command, check=True, env=env, stdout=log, stderr=log)

    def _await_node(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            done = subprocess.run(["timeout", "3", "sinfo", "-h", "-o", "%T"], capture_output=True)
            if b"idle" in done.stdout:
                return
            time.sleep(0.3)
        logs = [path.read_text()[-2000:] for path in self.folder.glob("slurm*.log")]
        raise RuntimeError("Slurm's node does not answer:\n" + "\n".join(logs))

    def stop(self):
        """Cancel all jobs and end the daemons, each by its pid."""
        subprocess.run(["timeout", "5", "scancel", "-u", "root"], capture_output=True)
        end = time.monotonic() + 10
        while self.jobs() and time.monotonic() < end:
            time.sleep(0.2)
        for name in reversed(DAEMONS):
            path = self.folder / f"{name}.pid"
            if not path.exists():
                continue
            pid = int(path.read_text())
            try:
                os.kill(pid, signal.SIGTERM)
                while time.monotonic() < end + 10 and Path(f"/proc/{pid}").exists():
                    time.sleep(0.1)
            except ProcessLookupError:
                continue
        for name in FILES:
            if (ETC / name).is_symlink():
                (ETC / name).unlink()

    def jobs(self, *options):
        """Return job, state and folder of what waits or runs."""
        states = "PENDING,RUNNING,COMPLETING,CONFIGURING"
        command = ["timeout", "5", "squeue", "-h", "-t", states, "-o", "%A|%T|%Z", *options]
        done = subprocess.run(command, capture_output=True, text=True)
        return [tuple(line.split("|")) for line in done.stdout.splitlines()]

    def jobs_of(self, folder):
        """Return the jobs that wait or run of a run of Snakemake in a folder."""
        return [job for job, _, place in self.jobs() if Path(place) == Path(folder)]

    def ended(self, folder):
        """Return what Slurm says of each job that has ended, of a run in a folder."""
        lines = (self.folder / "jobs.txt").read_text().splitlines()
        records = [
            dict(item.split("=", 1) for item in line.split() if "=" in item) for line in lines
        ]
        return [record for record in records if record.get("WorkDir") == str(folder)]

    def memory(self, job):
        """Return what a job asked for [MB]."""
        command = ["timeout", "5", "scontrol", "show", "job", job]
        told = subprocess.run(command, capture_output=True, text=True).stdout
        return int(re.search(r"MinMemoryNode=(\d+)M", told)[1])

    def devices(self):
        """Return partition and visible GPUs of each job, by its number."""
        lines = (self.folder / "devices.txt").read_text().split("\n")
        rows = (line.split() for line in lines if line)
        return {job: (partition, visible) for job, partition, visible in rows}


def slurm(folder):
    """Start a Slurm in a folder, or skip."""
    if os.getuid() != 0:
        pytest.skip("starting a Slurm needs root")
    if missing := [name for name in NEEDED if shutil.which(name) is None]:
        pytest.skip(f"needs Slurm ({PACKAGES}); not here: {' '.join(missing)}")
    conf = ETC / FILES[0]
    if conf.exists() and f"StateSaveLocation={conf.resolve().parent}/state" not in conf.read_text():
        pytest.skip(f"{conf} is there already: this machine has a Slurm of its own")
    return Slurm(folder)
