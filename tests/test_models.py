"""Every model: its blocks, its cuts and its work; and the published ones against what was published."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from setting_leaves import NEEDED
from told import sentences
from torch import nn
from torch.nn import functional
from worlds import TINY, live_run, table

from slfac_sim.cli import main
from slfac_sim.forecast.cuts import cuts_of
from slfac_sim.foundation.plugins import adapter, find, kinds
from slfac_sim.learning.halves import DeviceHalf, ServerHalf
from slfac_sim.learning.memory import memory_of
from slfac_sim.learning.models._blocks import Averaged
from slfac_sim.learning.operations import recorded
from slfac_sim.learning.optimisers.sgd import Sgd
from slfac_sim.learning.weights import initial_blocks, state_vector
from slfac_sim.learning.work import count_work, smallest_normalised_map, smashed_shape
from slfac_sim.scenario.files import load

FAMILY = "slfac_sim.learning.models"
KINDS = [kind for kind in kinds(FAMILY) if kind not in NEEDED]
LARGE = {"mobilenet_v2", "resnet18", "vgg11"}  # ten cuts of these take some ten seconds
B16 = {"size": 224, "patch": 16, "width": 768, "depth": 12, "heads": 12, "hidden": 3072}
PUBLISHED = [
    ("resnet18", {}, 11_689_512, 1.814),
    ("vgg11", {"classifier": "imagenet", "batch_norm": False}, 132_863_336, 7.609),
    ("vgg11", {"classifier": "imagenet"}, 132_868_840, 7.609),
    ("mobilenet_v2", {}, 3_504_872, 0.301),
    ("vit", B16, 86_567_656, 17.564),
]
"""Settings, parameters with 3 channels and 1000 classes, and 10^9 multiply-adds at 224 x 224."""


def model(kind: str, **given: Any) -> Any:
    return adapter(find(FAMILY, kind)).validate_python(given)


def weights_of(blocks: list[tuple[str, nn.Module]]) -> int:
    return sum(weight.numel() for _, block in blocks for weight in block.parameters())


@pytest.mark.parametrize(("kind", "given", "parameters", "_"), PUBLISHED)
def test_it_has_the_parameters_that_were_published(
    kind: str, given: dict[str, Any], parameters: int, _: float
) -> None:
    with torch.device("meta"):
        assert weights_of(model(kind, **given).blocks(3, 1000)) == parameters


def test_lenet_has_its_published_parameters_on_digits() -> None:
    assert weights_of(model("lenet").blocks(1, 10)) == 61_706


@pytest.mark.parametrize(("width", "parameters"), [(1.4, 6_108_776), (0.5, 1_968_680)])
def test_widths_of_mobilenet_v2_have_the_parameters_that_were_published(
    width: float, parameters: int
) -> None:
    with torch.device("meta"):
        assert weights_of(model("mobilenet_v2", width=width).blocks(3, 1000)) == parameters


@pytest.mark.parametrize(("kind", "given", "_", "giga"), [PUBLISHED[0], *PUBLISHED[3:]])
def test_it_takes_the_multiply_adds_that_were_published(
    kind: str, given: dict[str, Any], _: int, giga: float
) -> None:
    whole = nn.Sequential(*(block for _, block in model(kind, **given).blocks(3, 1000))).eval()
    with recorded(1) as seen, torch.no_grad():
        whole(torch.zeros(1, 3, 224, 224))
    assert sum(operation.flops for operation in seen) / 2e9 == pytest.approx(giga, abs=5e-4)


class _ByHand:
    """FLOPs of a forward pass, added up layer by layer from the shapes that they see."""

    def __init__(self, whole: nn.Module) -> None:
        self.flops = 0.0
        for layer in whole.modules():
            layer.register_forward_hook(self._add)

    def _add(self, layer: nn.Module, inputs: Any, output: Any) -> None:
        if isinstance(layer, nn.Conv2d):
            self.flops += 2 * output.numel() * layer.weight[0].numel()
        elif isinstance(layer, nn.Linear):
            self.flops += 2 * output.numel() * layer.in_features
        elif type(layer).__name__ == "Block":  # attention: queries times keys, and that times values
            samples, tokens, width = output.shape
            self.flops += 2 * 2 * samples * tokens**2 * width


@pytest.mark.matrix
@pytest.mark.parametrize("kind", KINDS)
def test_its_work_is_that_of_its_layers_at_every_cut(kind: str) -> None:
    shape = (3, 28, 28)
    blocks = [block for _, block in model(kind).blocks(shape[0], 10)]
    whole = nn.Sequential(*blocks)
    by_hand = _ByHand(whole)
    assert whole(torch.zeros(2, *shape)).shape == (2, 10)
    expected, learnt = by_hand.flops / 2, []
    for place in range(1, len(blocks)):
        near, far = nn.Sequential(*blocks[:place]), nn.Sequential(*blocks[place:])
        work = count_work(near, far, shape)
        assert work.device_forward_flops + work.server_forward_flops == expected
        assert work.server_backward_flops == 2 * work.server_forward_flops
        learnt.append(work.device_forward_flops)
        first = work.device_forward_flops * 2 - work.device_backward_flops
        assert 0 < first <= work.device_forward_flops  # nobody wants the gradient of the images
        memory = memory_of(near, shape, 8, Sgd().open)
        assert memory.smashed == 2 * 4 * 8 * np.prod(smashed_shape(near, shape))
        assert memory.weights >= 4 * weights_of([("", near)]) == memory.gradients
    assert learnt == sorted(learnt)


@pytest.mark.parametrize("kind", KINDS)
def test_its_weights_follow_the_seed_alone(kind: str) -> None:
    made = [
        state_vector(
            nn.Sequential(*(block for _, block in initial_blocks(model(kind), (1, 28, 28), 10, seed)))
        )
        for seed in (3, 3, 4)
    ]
    assert np.array_equal(made[0], made[1])
    assert not np.array_equal(made[0], made[2])
    assert np.isfinite(made[0]).all()


@pytest.mark.matrix
@pytest.mark.parametrize("kind", KINDS)
def test_both_halves_learn_wherever_it_is_cut(kind: str) -> None:
    named = initial_blocks(model(kind), (1, 28, 28), 10, seed=1)
    images = torch.from_numpy(np.random.default_rng(0).standard_normal((6, 1, 28, 28)).astype(np.float32))
    labels = np.arange(6)
    for place in {1, len(named) // 2, len(named) - 1}:
        near, far = (nn.Sequential(*(block for _, block in part)) for part in (named[:place], named[place:]))
        device = DeviceHalf(near, torch.optim.SGD(near.parameters(), 0.01))
        server = ServerHalf(far, torch.optim.SGD(far.parameters(), 0.01))
        before = [state_vector(half.model) for half in (device, server)]
        smashed = device.forward(images, labels)
        (answer,) = server.step([(smashed.tensor, labels)])
        device.backward(smashed.pending, answer.gradient)
        for half, state in zip((device, server), before, strict=True):
            assert not np.array_equal(state_vector(half.model), state)
            assert all(weight.isfinite().all() for weight in half.model.parameters())
        if smallest_normalised_map(near, (1, 28, 28)) is None:  # batch-norm moves its means in forward passes
            assert np.abs(answer.gradient).max() > 0


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=[pytest.mark.slow] * (kind in LARGE)) for kind in KINDS]
)
def test_check_tells_of_each_of_its_cuts(kind: str) -> None:
    overrides = ("data.size=28", "data.classes=10", "data.train_samples=80", f"model={kind}")
    names = [name for name, _ in model(kind).blocks(1, 10)]
    chosen = load(TINY, [*overrides, f"cut={names[0]}", "codec=uniform"])
    cuts = cuts_of(chosen, chosen.data.load())
    assert [cut.block for cut in cuts] == names[:-1]
    for cut in cuts:
        assert not cut.refused
        assert min(cut.round_s, cut.up_bytes, cut.memory_bytes, cut.device_flops) > 0


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        ("vit", "{patch: 5}", "size must be a multiple of patch, 5 (got 28)"),
        ("vit", "{width: 66}", "width must be a multiple of heads, 4 (got 66)"),
        ("vit", "{size: 28}", "images are 12 x 12 pixels, and model.size is 28"),
        ("resnet18", "{stem: small}", "stem"),
        ("mobilenet_v2", "{width: 3}", "width"),
        ("vgg11", "{dropout: 1}", "dropout"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    kind: str, given: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = given.replace("{", f"{{kind: {kind}, ")
    assert main(["check", str(TINY), f"model={settings}", "cut=embed"]) == 2
    assert said in sentences(capsys.readouterr().err)[-1]


def test_the_work_of_layers_in_groups_and_of_recurrent_ones_by_hand() -> None:
    depthwise = nn.Conv2d(8, 8, 3, padding=1, groups=8, bias=False)
    work = count_work(depthwise, nn.Flatten(), (8, 6, 6))
    assert work.device_forward_flops == work.device_backward_flops == 2 * 8 * 36 * 9
    for layer, gates in ((nn.GRU(5, 7, batch_first=True), 3), (nn.LSTM(5, 7, batch_first=True), 4)):
        with recorded(1) as seen:
            layer(torch.zeros(2, 3, 5))
        assert sum(operation.flops for operation in seen) == 2 * 2 * 3 * (5 + 7) * gates * 7


def test_attention_is_two_products_forward_and_four_back_whatever_the_kernel() -> None:
    tensors = [torch.zeros(2, 4, 10, 8, requires_grad=True) for _ in range(3)]
    with recorded(1) as forward:
        seen = functional.scaled_dot_product_attention(*tensors)
    with recorded(1) as backward:
        seen.sum().backward()
    once = 2 * 2 * 4 * 10 * 10 * 8
    assert [sum(operation.flops for operation in way) for way in (forward, backward)] == [2 * once, 4 * once]


@pytest.mark.parametrize("shape", [(5, 5), (1, 1), (6, 6), (3, 8), (11, 4)])
def test_maps_are_averaged_as_torch_does(shape: tuple[int, int]) -> None:
    maps = torch.randn(2, 3, *shape, dtype=torch.float64, requires_grad=True)
    ours, theirs = Averaged(5)(maps), functional.adaptive_avg_pool2d(maps, 5)
    assert torch.allclose(ours, theirs, rtol=0, atol=1e-7)
    upstream = torch.randn_like(ours)
    grads = [torch.autograd.grad(out, maps, upstream, retain_graph=True)[0] for out in (ours, theirs)]
    assert torch.allclose(*grads, rtol=0, atol=1e-7)


def test_a_stem_for_small_images_keeps_their_size() -> None:
    for kind, shape in (("resnet18", (64, 32, 32)), ("mobilenet_v2", (32, 32, 32))):
        (_, stem), *_ = model(kind, stem="cifar").blocks(3, 10)
        assert smashed_shape(stem, (3, 32, 32)) == shape


def test_a_transformer_learns_through_a_codec(tmp_path: Path) -> None:
    live_run(
        tmp_path / "run.sqlite",
        "model={kind: vit, size: 12, width: 16, depth: 2, hidden: 32, dropout: 0.1}", "cut=block1",
        "learning.optimiser={kind: adam, learning_rate: 0.003}", "protocol.rounds=3", "protocol.steps=6",
    )  # fmt: skip
    accuracies = [row["accuracy"] for row in table(tmp_path / "run.sqlite", "evals")]
    assert accuracies[-1] > max(0.5, accuracies[0])
