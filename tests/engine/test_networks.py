"""Networks: what goes in and out, and that each is built as its paper says."""

import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from engine.networks import NETWORKS, Network, make_network
from engine.networks.blocks import fold_batch_norm
from engine.networks.counting import count_parameters
from engine.networks.ehab_unet import EhabBlock, Gate
from engine.networks.patravali_unet import PlaneShuffle

TINY: list[tuple[str, dict[str, Any]]] = [
    ("unet", {"widths": (4, 8, 16), "dropout": 0.2}),
    ("cnn", {"widths": (4, 8)}),
    ("small_unet", {"widths": (4, 6, 8)}),
    ("ehab_unet", {"widths": (4, 6, 8)}),
    ("ehab_unet", {"widths": (4, 6, 8), "residual": True}),
    ("ehab_unet", {"widths": (4, 6, 8), "residual": True, "attention": True}),
    ("patravali_unet", {"widths": (4, 6, 8)}),
    ("patravali_unet", {"widths": (4, 6, 8), "block": "B", "dropout_on_base": True}),
    ("patravali_unet", {"widths": (4, 6, 8), "upsampling": "sub_pixel"}),
    ("patravali_unet3d", {"widths": (4, 6, 8)}),
    ("patravali_unet3d", {"widths": (4, 6, 6), "block": "B"}),
    ("patravali_unet3d", {"widths": (4, 6, 8), "upsampling": "sub_pixel"}),
    ("dense_skip_unet", {"widths": (4, 6, 8), "dense_layers": (2, 0), "growth": (3, 2)}),
    ("dropout_unet", {"widths": (4, 6, 8)}),
    ("pretrained_unet", {}),
    ("pretrained_unet", {"backbone": "efficientnet-b0"}),
]
every_network = pytest.mark.parametrize(
    ("name", "options"), TINY, ids=[f"{name}-{n}" for n, (name, _) in enumerate(TINY)]
)


def on_paper(name: str, in_channels: int, classes: int, **options: Any) -> Network:
    with torch.device("meta"):
        return make_network(name, in_channels=in_channels, classes=classes, **options)


def some_image(network: Network, in_channels: int = 2, batch: int = 2) -> Tensor:
    """Random pixels, not square, of the least size that is more than one stride."""
    planes = (3,) if network.dimensions == 3 else ()
    step = max(network.stride, 8)
    torch.manual_seed(3)
    return torch.randn(batch, in_channels, *planes, 2 * step, step)


def test_every_network_is_tried() -> None:
    assert {name for name, _ in TINY} == set(NETWORKS)


@every_network
def test_a_network_gives_back_the_size_it_was_given(name: str, options: dict[str, Any]) -> None:
    network = make_network(name, in_channels=2, classes=3, **options).eval()
    image = some_image(network)

    assert network(image).shape == (2, 3, *image.shape[2:])


@every_network
def test_a_network_learns_in_one_step(name: str, options: dict[str, Any]) -> None:
    """Every weight has a finite gradient, and a small step down lowers the loss."""
    torch.manual_seed(1)
    network = make_network(name, in_channels=2, classes=3, **options)
    image = some_image(network)
    target = (image[:, 0] > 0).long()
    cross_entropy(network(image), target).backward()
    assert all(
        weight.grad is not None and torch.isfinite(weight.grad).all()
        for weight in network.parameters()
    )

    # Fresh gradients with dropout off and statistics of this batch: then the slope is exact.
    for module in network.modules():
        if isinstance(module, nn.Dropout | nn.Dropout2d):
            module.eval()
        if hasattr(module, "drop_connect_rate"):
            module.drop_connect_rate = 0.0
    network.zero_grad()
    before = cross_entropy(network(image), target)
    before.backward()
    steep = torch.stack([w.grad.square().sum() for w in network.parameters() if w.grad is not None])
    with torch.no_grad():
        for weight in network.parameters():
            weight -= 1e-3 / float(steep.sum()) * weight.grad
    after = cross_entropy(network(image), target)

    assert after < before


def stir_statistics(network: Network) -> None:
    """Give every normalisation statistics and weights far from where they start."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
            nn.init.normal_(module.running_mean, std=0.5)
            nn.init.uniform_(module.running_var, 0.5, 2.0)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, std=0.5)


@every_network
def test_folding_changes_no_answer(name: str, options: dict[str, Any]) -> None:
    torch.manual_seed(2)
    network = make_network(name, in_channels=2, classes=3, **options).double()
    stir_statistics(network)
    network.eval()
    image = some_image(network).double()
    with torch.no_grad():
        before = network(image)
        fold_batch_norm(network)
        after = network(image)

    assert torch.allclose(after, before, rtol=1e-9, atol=1e-9 * float(before.abs().max()))


@pytest.mark.parametrize(
    ("name", "options", "left"),
    [
        ("ehab_unet", {"widths": (4, 6), "residual": True, "attention": True}, 0),
        ("patravali_unet", {"widths": (4, 6)}, 0),
        ("patravali_unet3d", {"widths": (4, 6)}, 0),
        ("dropout_unet", {"widths": (4, 6)}, 0),
        ("dense_skip_unet", {"widths": (4, 6), "dense_layers": (3,), "growth": (2,)}, 3),
    ],
)
def test_all_is_folded_but_what_follows_a_relu(
    name: str, options: dict[str, Any], left: int
) -> None:
    network = make_network(name, in_channels=1, classes=2, **options).eval()
    fold_batch_norm(network)

    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d | nn.BatchNorm3d)]
    assert len(norms) == left


class Backwards(nn.Sequential):
    """Its neighbours do not follow one another."""

    def forward(self, x: Tensor) -> Tensor:
        for module in reversed(list(self)):
            x = module(x)
        return x


def test_only_true_neighbours_are_folded() -> None:
    layers = Backwards(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2)).eval()
    fold_batch_norm(layers)

    assert isinstance(layers[1], nn.BatchNorm2d)


# Ehab and Li ------------------------------------------------------------------------------------

BLOCKS = {
    "down": [
        (38_080, 38_464),
        (222_464, 231_296),
        (887_296, 921_344),
        (3_544_064, 3_677_696),
        (14_166_016, 14_695_424),
    ],
    "up": [(9_442_304, 10_231_296), (2_361_856, 2_559_744), (591_104, 640_896), (148_096, 160_704)],
}


@pytest.mark.parametrize("residual", [False, True])
def test_r2_5_every_block_has_the_count_of_the_table(residual: bool) -> None:
    network = on_paper("ehab_unet", 1, 4, residual=residual, attention=True)

    for part, counts in BLOCKS.items():
        found = [count_parameters(block)[0] for block in network.get_submodule(part).children()]
        assert found == [pair[residual] for pair in counts]
    gates = [count_parameters(gate)[0] for gate in network.get_submodule("gates").children()]
    assert gates == [4_463_617, 1_117_697, 280_321, 70_529]
    assert count_parameters(network.get_submodule("head"))[0] == 276


def test_r2_5_three_channels_and_one_class_change_the_ends_only() -> None:
    plain, residual = (on_paper("ehab_unet", 3, 1, residual=choice) for choice in (False, True))

    assert count_parameters(plain.get_submodule("down.0"))[0] == 39_232
    assert count_parameters(residual.get_submodule("down.0"))[0] == 39_744
    assert count_parameters(plain.get_submodule("head"))[0] == 69


def test_r2_5_normalisation_and_start_are_those_of_keras() -> None:
    torch.manual_seed(4)
    network = make_network(
        "ehab_unet", in_channels=1, classes=4, widths=(16, 32), residual=True, attention=True
    )
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    kernels = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]

    assert {(norm.eps, norm.momentum) for norm in norms} == {(1e-3, 0.01)}
    for kernel in kernels:
        assert kernel.bias is not None
        assert not kernel.bias.any()
        area = math.prod(kernel.kernel_size)
        limit = math.sqrt(6 / (area * (kernel.in_channels + kernel.out_channels)))
        assert kernel.weight.abs().max() <= limit
        if kernel.weight.numel() > 500:
            assert float(kernel.weight.detach().std()) == pytest.approx(
                limit / math.sqrt(3), rel=0.1
            )


def test_r2_5_up_sampling_repeats_pixels_and_comes_before_the_skip() -> None:
    network = make_network("ehab_unet", in_channels=1, classes=2, widths=(4, 6, 8)).eval()
    seen: list[Tensor] = []
    top = network.get_submodule("up.1")
    top.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    network(torch.randn(1, 1, 16, 16))
    raised, skip = seen[0][:, :6], seen[0][:, 6:]

    assert skip.shape[1] == 4
    for row, column in itertools.product((0, 1), repeat=2):
        assert torch.equal(raised[..., row::2, column::2], raised[..., ::2, ::2])
    assert not torch.equal(skip[..., 1::2, :], skip[..., ::2, :])


def test_r2_5_the_logits_leave_a_normalisation() -> None:
    """In training each class has mean 0 and, but for epsilon, variance 1 over the batch."""
    torch.manual_seed(5)
    network = make_network("ehab_unet", in_channels=1, classes=4, widths=(8, 12))
    logits = network(torch.randn(4, 1, 32, 32))

    assert torch.allclose(logits.mean(dim=(0, 2, 3)), torch.zeros(4), atol=1e-5)
    variance = logits.var(dim=(0, 2, 3), unbiased=False)
    assert ((variance > 0.8) & (variance < 1)).all()


def test_r2_5_the_shortcut_is_added_before_the_last_relu() -> None:
    """With a shortcut of -5 nothing passes; with the main path dead the shortcut passes alone."""
    block = EhabBlock(2, 3, residual=True).eval()
    image = torch.randn(1, 2, 8, 8)
    nn.init.zeros_(block.main[4].weight)
    nn.init.zeros_(block.main[4].bias)
    assert block.shortcut is not None
    alone = block.shortcut(image)

    assert torch.allclose(block(image), alone.clamp(min=0))
    nn.init.constant_(block.shortcut[1].weight, 0)
    nn.init.constant_(block.shortcut[1].bias, -5)
    assert not block(image).any()


def test_r2_6_attention_is_a_share_of_the_skips_size_equal_for_all_channels() -> None:
    torch.manual_seed(6)
    gate = Gate(4, 8)
    stir_statistics(gate)
    gate.eval()
    skip, below = 5 * torch.randn(2, 4, 12, 8), 5 * torch.randn(2, 8, 6, 4)
    attention = gate.attention(skip, below)

    assert attention.shape == skip.shape
    assert ((attention >= 0) & (attention <= 1)).all()
    assert attention.std() > 0.01
    assert torch.equal(attention, attention[:, :1].expand(-1, 4, -1, -1))
    assert torch.allclose(gate(skip, below), gate.result(attention * skip))


def test_r2_6_an_open_gate_only_convolves_and_normalises() -> None:
    torch.manual_seed(7)
    gate = Gate(4, 8)
    stir_statistics(gate)
    gate.eval()
    nn.init.zeros_(gate.psi[1].weight)
    nn.init.constant_(gate.psi[1].bias, 40)  # a sigmoid of 1 to the last bit
    skip, below = torch.randn(2, 4, 12, 8), torch.randn(2, 8, 6, 4)
    convolution, norm = gate.result

    assert (gate.attention(skip, below) == 1).all()
    assert torch.equal(gate(skip, below), norm(convolution(skip)))


# Patravali, Jain and Chilamkurthy ---------------------------------------------------------------


@pytest.mark.parametrize("slices", [1, 3, 5])
@pytest.mark.parametrize("options", [{}, {"block": "B"}, {"upsampling": "sub_pixel"}])
@torch.no_grad()
def test_r1_1_the_answer_has_the_size_of_the_slice(slices: int, options: dict[str, str]) -> None:
    network = make_network(
        "patravali_unet", in_channels=slices, classes=4, widths=(2, 3, 4, 4, 4), **options
    ).eval()

    assert network(torch.zeros(1, slices, 256, 256)).shape == (1, 4, 256, 256)


def test_r1_1_the_head_goes_from_32_maps_to_4() -> None:
    head = on_paper("patravali_unet", 3, 4).get_submodule("head")

    assert isinstance(head, nn.Conv2d)
    assert (head.in_channels, head.out_channels, head.kernel_size) == (32, 4, (1, 1))


@pytest.mark.parametrize(
    ("on_base", "rates"), [(False, [0, 0, 0.3, 0.5, 0]), (True, [0, 0, 0, 0.3, 0.5])]
)
def test_r1_1_dropout_is_on_the_end_of_the_contracting_path(
    on_base: bool, rates: list[float]
) -> None:
    network = on_paper("patravali_unet", 3, 4, dropout_on_base=on_base)
    found = [
        [m.p for m in block.modules() if isinstance(m, nn.Dropout)]
        for block in network.get_submodule("down").children()
    ]

    assert [sum(each) for each in found] == rates
    assert not any(isinstance(m, nn.Dropout) for m in network.get_submodule("up").modules())


@pytest.mark.parametrize("planes", [6, 9, 12, 18])
@pytest.mark.parametrize("upsampling", ["transposed", "sub_pixel"])
def test_r1_2_any_number_of_slices_passes(planes: int, upsampling: str) -> None:
    network = make_network(
        "patravali_unet3d", in_channels=1, classes=4, widths=(2, 3, 4, 4), upsampling=upsampling
    ).eval()

    assert network(torch.randn(1, 1, planes, 16, 24)).shape == (1, 4, planes, 16, 24)


def test_r1_2_there_are_no_more_than_256_maps() -> None:
    network = on_paper("patravali_unet3d", 1, 4)

    assert max(m.out_channels for m in network.modules() if isinstance(m, nn.Conv3d)) == 256


def test_r1_4_the_shuffle_in_3d_is_the_shuffle_of_every_plane() -> None:
    volume = torch.randn(2, 12, 5, 3, 4)
    shuffled = PlaneShuffle()(volume)

    assert shuffled.shape == (2, 3, 5, 6, 8)
    for plane in range(5):
        assert torch.equal(shuffled[:, :, plane], torch.pixel_shuffle(volume[:, :, plane], 2))
    assert torch.equal(PlaneShuffle()(volume[:, :, 0]), shuffled[:, :, 0])


@pytest.mark.parametrize("name", ["patravali_unet", "patravali_unet3d"])
def test_r1_4_both_ways_up_give_the_decoder_the_same_shapes(name: str) -> None:
    shapes = []
    for upsampling in ("transposed", "sub_pixel"):
        network = make_network(
            name, in_channels=1, classes=4, widths=(4, 6, 8), upsampling=upsampling
        ).eval()
        image = torch.zeros(1, 1, *((6,) if network.dimensions == 3 else ()), 16, 16)
        seen: list[torch.Size] = []
        for step in network.get_submodule("up").children():
            step.register_forward_hook(lambda _, __, out, seen=seen: seen.append(out.shape))
        network(image)
        shapes.append(seen)

    assert shapes[0] == shapes[1]
    assert [shape[1] for shape in shapes[0]] == [6, 4]


# Monzino, left atrium, dropout ------------------------------------------------------------------


@torch.no_grad()
def test_r3_1_the_shapes_at_176_are_those_of_the_paper() -> None:
    network = make_network("dense_skip_unet", in_channels=1, classes=4).eval()
    seen: dict[str, list[tuple[int, ...]]] = {"down": [], "raised": [], "skips": []}
    for part, shapes in seen.items():
        for block in network.get_submodule(part).children():
            block.register_forward_hook(
                lambda _, __, out, shapes=shapes: shapes.append(tuple(out.shape[1:]))
            )
    answer = network(torch.zeros(1, 1, 176, 176))

    assert answer.shape == (1, 4, 176, 176)
    assert seen["down"] == [(48 * 2**n, 176 // 2**n, 176 // 2**n) for n in range(5)]
    assert seen["raised"] == [(4, size, size) for size in (22, 44, 88, 176)]
    # A skip has its level's maps and those of each layer: 384 + 1 * 96 ... 48 + 4 * 12.
    assert [shape[0] for shape in seen["skips"]] == [480, 288, 168, 96]


def test_r3_1_a_dense_skip_keeps_its_input_and_adds_to_it() -> None:
    network = make_network(
        "dense_skip_unet", in_channels=1, classes=2, widths=(4, 6), dense_layers=(2,), growth=(3,)
    ).eval()
    skip = network.get_submodule("skips.0")
    maps = torch.randn(1, 4, 6, 6)

    assert torch.equal(skip(maps)[:, :4], maps)
    order = [type(layer) for layer in skip.get_submodule("layers.0").children()]
    assert order == [nn.Conv2d, nn.ReLU, nn.BatchNorm2d]


@pytest.mark.parametrize("name", ["cnn", "small_unet"])
def test_r0_1_and_r0_2_the_left_atrium_networks_label_80_by_80(name: str) -> None:
    network = make_network(name, in_channels=1, classes=1)

    assert network(torch.zeros(1, 1, 80, 80)).shape == (1, 1, 80, 80)
    assert not any(isinstance(m, nn.BatchNorm2d | nn.Dropout) for m in network.modules())


def test_r4_1_dropout_grows_with_depth() -> None:
    network = on_paper("dropout_unet", 1, 4)
    rates = [m.p for m in network.modules() if isinstance(m, nn.Dropout)]

    assert rates == pytest.approx([0.1, 0.1, 0.2, 0.2, 0.3, 0.2, 0.2, 0.1, 0.1])
    assert isinstance(network.get_submodule("head"), nn.Conv2d)
