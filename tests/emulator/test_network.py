"""The networks of the emulator: the printed activation and its gradient."""

import torch

from popsed_core.emulator.network import TrainableActivation


def test_the_activation_is_the_formula_and_so_is_its_derivative():
    act = TrainableActivation(3).double()
    x = torch.linspace(-3, 3, 12, dtype=torch.float64).reshape(4, 3).requires_grad_()
    formula = (act.gamma + (1 - act.gamma) * torch.sigmoid(act.beta * x)) * x
    torch.testing.assert_close(act(x), formula)
    assert torch.autograd.gradcheck(act, (x,))
    wanted = torch.autograd.grad(formula.square().sum(), (act.gamma, act.beta))
    found = torch.autograd.grad(act(x).square().sum(), (act.gamma, act.beta))
    torch.testing.assert_close(found, wanted)
