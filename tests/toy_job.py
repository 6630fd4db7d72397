"""A job for the loop: a random walk whose every step depends on all before it.

Run as a script it is a process to kill: ``toy_job.py CHECKPOINT`` sleeps in each epoch.
"""

import sys
import time

import torch

from popsed_core.running import loop

N_EPOCHS = 12
CONFIG_HASH = "toy"


class Walk:
    """A random walk; ``seconds`` of sleep per epoch simulate work."""

    def __init__(self, n_epochs=N_EPOCHS, stop_after=None, seconds=0.0):
        self.n_epochs, self.stop_after, self.seconds = n_epochs, stop_after, seconds
        self.draws = torch.Generator().manual_seed(5)
        self.position = torch.zeros(4)

    def epoch(self, index):
        if index == self.stop_after:
            raise KeyboardInterrupt
        time.sleep(self.seconds)
        self.position = torch.sin(self.position) + torch.randn(4, generator=self.draws)
        return {"position": float(self.position.sum())}

    def state_dict(self):
        return {"draws": self.draws.get_state(), "position": self.position}

    def load_state_dict(self, state):
        self.draws.set_state(state["draws"])
        self.position = state["position"]


if __name__ == "__main__":
    loop.CHECKPOINT_SECONDS = 0.0
    loop.run(Walk(seconds=0.05), sys.argv[1], CONFIG_HASH)
