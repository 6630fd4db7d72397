"""The flow: its start, its densities and its random streams."""

import math

import pytest
import torch
from scipy import stats

from popsed_core.config.fit import FlowConfig
from popsed_core.inference.flow import PopulationFlow, log_normal

N_FEATURES = 11
SMALL = FlowConfig(n_blocks=3, n_bins=8, n_hidden=16, n_layers=1)


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def trained_like(config: FlowConfig = SMALL, scale: float = 0.1) -> PopulationFlow:
    """Return a flow moved away from its start, as training would."""
    flow, noise = PopulationFlow.build(N_FEATURES, config, stream()), stream(1)
    with torch.no_grad():
        for weight in flow.parameters():
            weight += scale * torch.randn(weight.shape, generator=noise)
    return flow


def test_start_without_jitter_is_uniform_over_the_box():
    flow = PopulationFlow.build(N_FEATURES, FlowConfig(start_jitter=0.0), stream())
    with torch.no_grad():
        u, _ = flow.sample(20_000, stream(2))
    v = torch.special.ndtr(u).numpy()
    assert max(stats.kstest(v[:, i], "uniform").statistic for i in range(N_FEATURES)) < 0.02
    correlation = torch.corrcoef(u.T) - torch.eye(N_FEATURES)
    assert correlation.abs().max() < 0.03


def test_start_without_jitter_is_the_identity():
    flow = PopulationFlow.build(N_FEATURES, FlowConfig(start_jitter=0.0), stream())
    base = torch.randn(300, N_FEATURES, generator=stream(3)) * 3
    u, log_density = flow.push(base)
    torch.testing.assert_close(u, base, atol=1e-4, rtol=0)
    torch.testing.assert_close(log_density, log_normal(base), atol=1e-3, rtol=1e-4)


def test_start_jitter_shifts_members_differently_and_by_its_width():
    starts = [
        PopulationFlow.build(N_FEATURES, FlowConfig(n_blocks=1, start_jitter=0.1), stream(seed))
        .push(torch.zeros(1, N_FEATURES))[0]
        .detach()
        for seed in range(20)
    ]
    shift = torch.cat(starts)
    assert shift.std().item() == pytest.approx(0.1, rel=0.2)
    assert len(shift.unique(dim=0)) == len(starts)


def test_generator_alone_decides_the_weights_and_the_draws():
    first, second = (PopulationFlow.build(N_FEATURES, SMALL, stream(5)) for _ in range(2))
    other = PopulationFlow.build(N_FEATURES, SMALL, stream(6))
    a, b, c = (flow.state_dict() for flow in (first, second, other))
    assert all(torch.equal(a[key], b[key]) for key in a)
    assert not all(torch.equal(a[key], c[key]) for key in a)
    assert torch.equal(first.sample(10, stream(7))[0], second.sample(10, stream(7))[0])


def test_building_and_sampling_leave_the_global_stream_alone():
    before = torch.get_rng_state()
    PopulationFlow.build(N_FEATURES, SMALL, stream()).sample(10, stream())
    assert torch.equal(torch.get_rng_state(), before)


def test_log_prob_of_samples_is_their_log_density():
    flow = trained_like(FlowConfig())
    with torch.no_grad():
        u, log_density = flow.sample(500, stream(4))
        base, _ = flow.transform.inverse(u)
        again, _ = flow.push(base)
    torch.testing.assert_close(again, u, atol=1e-4, rtol=1e-5)
    torch.testing.assert_close(flow.log_prob(u).detach(), log_density, atol=1e-2, rtol=0)


def test_inverse_recovers_the_base_in_double_precision():
    flow = trained_like(FlowConfig()).double()
    base = torch.randn(200, N_FEATURES, generator=stream(8), dtype=torch.float64) * 2
    u, log_density = flow.push(base)
    torch.testing.assert_close(flow.transform.inverse(u)[0], base, atol=1e-8, rtol=0)
    torch.testing.assert_close(flow.log_prob(u), log_density, atol=1e-8, rtol=0)


def test_log_density_is_the_log_determinant_of_the_jacobian():
    flow = trained_like().double()
    base = torch.randn(1, N_FEATURES, generator=stream(9), dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(lambda x: flow.push(x)[0][0], base)[:, 0]
    expected = log_normal(base)[0] - torch.linalg.slogdet(jacobian).logabsdet
    torch.testing.assert_close(flow.push(base)[1][0], expected)


def test_density_integrates_to_one_in_two_dimensions():
    flow = PopulationFlow.build(2, SMALL, stream())
    with torch.no_grad():
        for weight in flow.parameters():
            weight += 0.1 * torch.randn(weight.shape, generator=stream(weight.numel()))
    axis = torch.linspace(-9, 9, 361)
    grid = torch.cartesian_prod(axis, axis)
    total = flow.log_prob(grid).exp().sum().item() * (axis[1] - axis[0]).item() ** 2
    assert total == pytest.approx(1, abs=2e-3)


def test_values_and_gradients_are_finite_far_out():
    flow = trained_like(scale=0.3)
    base = torch.cat([torch.full((1, N_FEATURES), value) for value in (-30.0, -3.0, 3.0, 30.0)])
    base.requires_grad_()
    u, log_density = flow.push(base)
    (u.square().sum() + log_density.sum()).backward()
    assert torch.isfinite(u).all()
    assert torch.isfinite(log_density).all()
    assert torch.isfinite(base.grad).all()
    assert all(torch.isfinite(weight.grad).all() for weight in flow.parameters())


def test_one_dimension_is_refused():
    with pytest.raises(ValueError, match="n_features"):
        PopulationFlow.build(1, SMALL, stream())


def test_minimising_the_divergence_from_a_target_finds_the_target():
    flow, draws = PopulationFlow.build(2, SMALL, stream()), stream(13)
    optimiser = torch.optim.Adam(flow.parameters(), lr=0.01)

    def divergence() -> torch.Tensor:
        u, log_density = flow.sample(1000, draws)
        log_target = log_normal((u - 1) / 0.5) - 2 * math.log(0.5)
        return (log_density - log_target).mean()

    assert divergence() > 1
    for _ in range(80):
        optimiser.zero_grad()
        divergence().backward()
        optimiser.step()
    assert abs(divergence()) < 0.05


def test_standard_normal_density():
    assert log_normal(torch.zeros(1, 2)).item() == pytest.approx(-math.log(2 * math.pi))
