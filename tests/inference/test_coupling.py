"""The layers of the flow: bijections with the right volume, and the same as nflows 0.14 had.

The reference values were made by nflows 0.14 alone, in double precision: members that were
trained with it are read by what is here.
"""

import hashlib

import pytest
import torch
from torch.func import functional_call, vmap

from popsed_core.config.fit import FlowConfig
from popsed_core.inference.coupling import Chain, LULinear, SplineCoupling
from popsed_core.inference.flow import PopulationFlow

N_FEATURES = 5
TINY = FlowConfig(n_blocks=2, n_bins=4, n_hidden=5, n_layers=1)

NET = "transform_net"
LAYOUT = {  # of two blocks over three features, in the order of nflows
    "_transforms.0.identity_features": (1,),
    "_transforms.0.transform_features": (2,),
    f"_transforms.0.{NET}.initial_layer.weight": (5, 1),
    f"_transforms.0.{NET}.initial_layer.bias": (5,),
    f"_transforms.0.{NET}.blocks.0.linear_layers.0.weight": (5, 5),
    f"_transforms.0.{NET}.blocks.0.linear_layers.0.bias": (5,),
    f"_transforms.0.{NET}.blocks.0.linear_layers.1.weight": (5, 5),
    f"_transforms.0.{NET}.blocks.0.linear_layers.1.bias": (5,),
    f"_transforms.0.{NET}.final_layer.weight": (22, 5),
    f"_transforms.0.{NET}.final_layer.bias": (22,),
    "_transforms.1.bias": (3,),
    "_transforms.1.lower_entries": (3,),
    "_transforms.1.upper_entries": (3,),
    "_transforms.1.unconstrained_upper_diag": (3,),
    "_transforms.2.identity_features": (2,),
    "_transforms.2.transform_features": (1,),
    f"_transforms.2.{NET}.initial_layer.weight": (5, 2),
    f"_transforms.2.{NET}.initial_layer.bias": (5,),
    f"_transforms.2.{NET}.blocks.0.linear_layers.0.weight": (5, 5),
    f"_transforms.2.{NET}.blocks.0.linear_layers.0.bias": (5,),
    f"_transforms.2.{NET}.blocks.0.linear_layers.1.weight": (5, 5),
    f"_transforms.2.{NET}.blocks.0.linear_layers.1.bias": (5,),
    f"_transforms.2.{NET}.final_layer.weight": (11, 5),
    f"_transforms.2.{NET}.final_layer.bias": (11,),
    "_transforms.3.bias": (3,),
    "_transforms.3.lower_entries": (3,),
    "_transforms.3.upper_entries": (3,),
    "_transforms.3.unconstrained_upper_diag": (3,),
}
# sha256 of names and initial values at seed 3, without the final layers, which start at zero
START = "e80ae169c8770541657a759d2d6abc1c8699cfaea1b3c0604633e7fa25a6008a"
X = [[-4.0, 0.5, 1.0], [0.0, 0.0, 0.0], [2.5, -1.0, 0.3], [0.7, 2.0, -1.9]]
Y = [
    [-1.888680275717768, 1.7027861527865689, 0.22479366562370745],
    [-0.4241569155970052, 0.5324577516558432, 0.1831732976608917],
    [0.9496957419571465, -0.6412808487319921, 0.7328929531588328],
    [-1.2925247542002047, 1.7422149390889365, -0.915715721221505],
]
LOG_VOLUME = [-2.272789406126926, -2.302470569619717, -2.0428693170516876, -2.193414648883498]


def start(seed: int = 3) -> Chain:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PopulationFlow(3, TINY).transform


def set_by_formula(module: torch.nn.Module) -> torch.nn.Module:
    """Give each parameter values that need no random numbers."""
    module = module.double()
    with torch.no_grad():
        for weight in module.parameters():
            n = weight.numel()
            ramp = torch.linspace(-1, 1, n, dtype=torch.float64).cos()
            values = ramp * torch.linspace(0.3, 0.9, n, dtype=torch.float64) - 0.4
            weight.copy_(values.reshape(weight.shape))
    return module


def test_names_shapes_and_order_of_a_member_on_disk_are_those_of_nflows():
    found = {name: tuple(value.shape) for name, value in start().state_dict().items()}
    assert list(found.items()) == list(LAYOUT.items())


def test_initial_values_are_those_of_nflows():
    found = hashlib.sha256()
    for name, weight in start().named_parameters():
        if "final_layer" not in name:
            found.update(name.encode() + weight.detach().numpy().tobytes())
    assert found.hexdigest() == START


def test_weights_mean_what_they_meant_in_nflows():
    chain, x = set_by_formula(start()), torch.tensor(X, dtype=torch.float64)
    y, log_volume = chain(x)
    torch.testing.assert_close(y.tolist(), Y, atol=1e-12, rtol=0)
    torch.testing.assert_close(log_volume.tolist(), LOG_VOLUME, atol=1e-12, rtol=0)
    x_again, log_volume = chain.inverse(torch.tensor(Y, dtype=torch.float64))
    torch.testing.assert_close(x_again.tolist(), X, atol=1e-12, rtol=0)
    torch.testing.assert_close((-log_volume).tolist(), LOG_VOLUME, atol=1e-12, rtol=0)


def coupling() -> SplineCoupling:
    is_transformed = torch.arange(N_FEATURES) % 2 == 0
    return SplineCoupling(is_transformed, n_bins=6, bound=3.0, n_hidden=8, n_layers=2)


LAYERS = {
    "linear": lambda: LULinear(N_FEATURES),
    "coupling": coupling,
    "chain": lambda: Chain([coupling(), LULinear(N_FEATURES), coupling()]),
}


@pytest.fixture(params=LAYERS)
def layer(request):
    """One that is away from its start, in double precision."""
    return set_by_formula(LAYERS[request.param]())


@pytest.fixture
def x():
    noise = torch.Generator().manual_seed(1)
    return 2 * torch.randn(40, N_FEATURES, generator=noise, dtype=torch.float64)


@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_every_layer_starts_as_the_identity(make, x):
    y, log_volume = make().double()(x)
    torch.testing.assert_close(y, x, atol=1e-6, rtol=0)
    torch.testing.assert_close(log_volume, torch.zeros(len(x)).double(), atol=1e-5, rtol=0)


def test_inverse_undoes_a_layer_and_its_volume(layer, x):
    y, log_volume = layer(x)
    x_again, log_inverse = layer.inverse(y)
    assert (y - x).abs().max() > 0.1
    torch.testing.assert_close(x_again, x, atol=1e-10, rtol=0)
    torch.testing.assert_close(log_inverse, -log_volume, atol=1e-10, rtol=0)


def test_log_volume_is_the_log_determinant_of_the_jacobian(layer, x):
    for row in x[:5]:
        jacobian = torch.autograd.functional.jacobian(lambda at: layer(at[None])[0][0], row)
        expected = torch.linalg.slogdet(jacobian).logabsdet
        torch.testing.assert_close(layer(row[None])[1][0], expected)


def test_single_precision_is_close_to_double(layer, x):
    y, log_volume = layer(x)
    y_single, log_single = layer.float()(x.float())
    torch.testing.assert_close(y_single.double(), y, atol=1e-5, rtol=1e-6)
    torch.testing.assert_close(log_single.double(), log_volume, atol=2e-4, rtol=0)


def test_many_sets_of_weights_at_once_give_what_each_gives_alone(layer, x):
    weights = {name: value.detach() for name, value in layer.named_parameters()}
    scales = (1.0, 0.5)
    stacked = {name: torch.stack([k * value for k in scales]) for name, value in weights.items()}
    rows = torch.stack([k * x for k in scales])
    y, log_volume = vmap(lambda own, x: functional_call(layer, own, (x,)))(stacked, rows)
    for index, k in enumerate(scales):
        own = {name: k * value for name, value in weights.items()}
        expected = functional_call(layer, own, (k * x,))
        torch.testing.assert_close((y[index], log_volume[index]), expected)


def test_a_coupling_passes_the_features_that_steer_the_others(x):
    layer = set_by_formula(coupling())
    y, _ = layer(x)
    assert torch.equal(y[:, 1::2], x[:, 1::2])
    assert not torch.isclose(y[:, ::2], x[:, ::2]).all(0).any()


def test_the_linear_layer_multiplies_by_l_and_u(x):
    layer = set_by_formula(LULinear(N_FEATURES))
    lower, upper = torch.eye(N_FEATURES).double(), torch.zeros(N_FEATURES, N_FEATURES).double()
    below = iter(layer.lower_entries.tolist())
    above = iter(layer.upper_entries.tolist())
    for i in range(N_FEATURES):
        lower[i, :i] = torch.tensor([next(below) for _ in range(i)])
        upper[i, i + 1 :] = torch.tensor([next(above) for _ in range(N_FEATURES - i - 1)])
        upper[i, i] = 1e-3 + layer.unconstrained_upper_diag[i].exp().log1p().item()
    torch.testing.assert_close(layer(x)[0], x @ (lower @ upper).T + layer.bias)
