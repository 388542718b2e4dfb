"""The losses: published values, agreement with torch and MONAI, and behaviour at the edges."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.losses.dice import DiceLoss, GeneralizedDiceLoss
from monai.losses.focal_loss import FocalLoss
from torch import Tensor
from torch.nn import functional as F

from engine.errors import ModelError
from engine.learning.losses import (
    LOSSES,
    are_certain,
    labels_of,
    make_loss,
    one_hot,
    partial_cross_entropy,
    partial_dice_loss,
)
from engine.learning.losses.cross_entropy import bce, ce, weighted_bce, weighted_ce
from engine.learning.losses.dice import dice, log_dice, log_dice_of, pooled_dice, weighted_dice_sum
from engine.learning.losses.focal import binary_focal, categorical_focal

WEIGHTS = torch.tensor([0.0169, 1.0036, 1.3418, 0.9965])
BINARY_TERMS = ("bce", "weighted_bce", "binary_focal")
DICE_TERMS = ("partial_dice", "dice", "log_dice", "weighted_dice_sum", "pooled_dice")


def weights_for(outputs: int) -> Tensor:
    return WEIGHTS if outputs == 4 else torch.tensor([0.5, 20.0])


def term(name: str, outputs: int, **options: Any) -> Callable[[Tensor, Tensor], Tensor]:
    return make_loss(name, class_weights=weights_for(outputs), options={name: options})


def sample(shape: tuple[int, ...] = (2, 5, 6), outputs: int = 4, *, seed: int = 0) -> Any:
    """Random logits (b, c, ...) and certain bits (b, ...) in which every class occurs."""
    generator = torch.Generator().manual_seed(seed)
    classes = max(outputs, 2)
    logits = 2 * torch.randn((shape[0], outputs, *shape[1:]), generator=generator)
    labels = torch.arange(math.prod(shape)).remainder(classes)
    labels = labels[torch.randperm(labels.numel(), generator=generator)].view(shape)
    return logits, (1 << labels).to(torch.uint8)


CASES = [(name, 1) for name in LOSSES] + [(n, 4) for n in LOSSES if n not in BINARY_TERMS]


# What a pixel is


@given(st.lists(st.integers(0, 30), min_size=1, max_size=20))
def test_labels_are_the_exact_place_of_the_bit(labels: list[int]) -> None:
    bits = torch.tensor([1 << label for label in labels])

    assert labels_of(bits).tolist() == labels
    assert are_certain(bits)


def test_two_bits_or_none_are_not_certain() -> None:
    assert not are_certain(torch.tensor([1, 3], dtype=torch.uint8))
    assert not are_certain(torch.tensor([1, 0], dtype=torch.uint8))


def test_r2_8_the_background_is_one_zero_zero_zero() -> None:
    """R2-8. Four zeros, as printed, would make every background pixel free."""
    logits, possible = sample()
    channels = one_hot(possible, 4)
    background = channels.movedim(1, -1)[possible == 1]

    assert torch.equal(background.unique(dim=0), torch.tensor([[1.0, 0.0, 0.0, 0.0]]))
    assert torch.equal(channels.sum(dim=1), torch.ones(possible.shape))
    only_background = torch.ones_like(possible)
    assert categorical_focal(logits, only_background) > 0.01


def test_a_pixel_that_may_be_nothing_is_refused() -> None:
    logits, possible = sample()
    possible[0, 0, 0] = 0
    for name in ("ce", "dice", "categorical_focal"):
        with pytest.raises((IndexError, RuntimeError)):
            term(name, 4)(logits, possible)


# Cross-entropies


def test_r1_9_weighted_ce_is_equation_1() -> None:
    """R1-9. Pixel by pixel in double precision, and torch's own sum."""
    logits, possible = sample()
    labels = labels_of(possible)
    log_p = logits.double().numpy()
    log_p = log_p - np.log(np.exp(log_p).sum(axis=1, keepdims=True))
    by_hand = -sum(
        float(WEIGHTS[labels[b, y, x]]) * log_p[b, labels[b, y, x], y, x]
        for b, y, x in np.ndindex(*labels.shape)
    )
    total = weighted_ce(logits, possible, class_weights=WEIGHTS, reduction="sum")

    assert float(total) == pytest.approx(by_hand, rel=1e-5)
    assert float(total) == pytest.approx(
        float(F.cross_entropy(logits, labels, weight=WEIGHTS, reduction="sum")), rel=1e-6
    )


def test_r1_9_the_three_reductions_are_three_numbers() -> None:
    """R1-9. `mean` divides by the number of pixels, `weighted_mean` as torch's mean does."""
    logits, possible = sample()
    labels = labels_of(possible)
    total, mean, weighted_mean = (
        float(weighted_ce(logits, possible, class_weights=WEIGHTS, reduction=reduction))
        for reduction in ("sum", "mean", "weighted_mean")
    )

    assert mean == pytest.approx(total / 60, rel=1e-6)
    assert weighted_mean == pytest.approx(
        float(F.cross_entropy(logits, labels, weight=WEIGHTS)), rel=1e-6
    )
    assert abs(mean - weighted_mean) > 0.05


def test_weighted_mean_of_a_batch_without_weight_is_zero_not_nan() -> None:
    logits, possible = sample()
    weights = torch.tensor([0.0, 1.0, 1.0, 1.0])
    only_background = torch.ones_like(possible)
    loss = weighted_ce(logits, only_background, class_weights=weights, reduction="weighted_mean")

    assert float(loss) == 0.0


@pytest.mark.parametrize("constant", [0.0, 0.01, 1.0, 9.0])
def test_r0_3_bce_of_an_all_positive_answer_is_at_least_log_2(constant: float) -> None:
    """R0-3. So the published 4.98e-05 with recall 1 and accuracy .0054 cannot be this loss."""
    possible = torch.ones(1, 100, 100, dtype=torch.uint8)
    possible[0, 0, :46] = 2

    assert bce(torch.full((1, 1, 100, 100), constant), possible) >= 0.69


@given(seed=st.integers(0, 10_000), prevalence=st.floats(0.001, 0.5))
@settings(max_examples=30, deadline=None)
def test_r0_3_bce_bounds_every_all_positive_answer(seed: int, prevalence: float) -> None:
    """R0-3. Whatever the pixels' logits above 0: at least log 2 for each background pixel."""
    torch.manual_seed(seed)
    possible = torch.ones(1, 1, 1000, dtype=torch.uint8)
    possible[0, 0, : round(1000 * prevalence)] = 2
    background = float((possible == 1).float().mean())

    assert bce(5 * torch.rand(1, 1, 1, 1000), possible) >= math.log(2) * background - 1e-6


def test_r0_3_weighted_bce_counts_a_foreground_pixel_pos_weight_times() -> None:
    """R0-3. With inverse frequencies the weight is (1 - pi) / pi."""
    logits, possible = sample(outputs=1)
    possible[possible == 2] = 1
    possible[0, 0, :3] = 2  # pi = 3 / 60
    frequencies = torch.tensor([60 / (2 * 57), 60 / (2 * 3)])
    p, t = logits[:, 0].sigmoid(), (possible == 2).float()
    by_hand = -(19 * t * p.log() + (1 - t) * (1 - p).log()).mean()

    assert torch.allclose(weighted_bce(logits, possible, class_weights=frequencies), by_hand)
    assert torch.allclose(weighted_bce(logits, possible, pos_weight=19.0), by_hand)


@pytest.mark.parametrize("name", ["bce", "weighted_bce", "dice", "binary_focal"])
def test_r0_7_a_rare_structure_is_found_without_calling_everything_so(name: str) -> None:
    """R0-7. A logistic regression on grey values at the left atrium's prevalence, .0046."""
    generator = torch.Generator().manual_seed(3)
    y, x = torch.meshgrid(torch.arange(80), torch.arange(80), indexing="ij")
    truth = (y - 40) ** 2 + (x - 30) ** 2 <= 9  # 29 of 6400 pixels
    image = torch.randn(80, 80, generator=generator) + 7 * truth
    image[39, 29:32] = 0.0  # a few that no threshold finds
    possible = (1 + truth.to(torch.uint8))[None]
    share = float(truth.float().mean())
    loss = make_loss(name, class_weights=torch.tensor([1 / (1 - share), 1 / share]) / 2, options={})
    line = torch.tensor([1.0, 0.0], requires_grad=True)
    optimiser = torch.optim.Adam([line], lr=0.2)
    for _ in range(150):
        optimiser.zero_grad()
        loss((line[0] * image + line[1])[None, None], possible).backward()
        optimiser.step()
    found = (line[0] * image + line[1]).detach() > 0

    assert float((found == truth).float().mean()) > 0.98
    assert 0.7 < float(found[truth].float().mean()) < 1


# Focal losses


def test_r2_7_focal_values_at_p_of_seven_tenths() -> None:
    """R2-7. Binary with gamma 2; categorical with Keras' alpha .25 and gamma 2."""
    logit = torch.full((1, 1, 1, 1), math.log(0.7 / 0.3))
    rest = torch.tensor([0.7, 0.1, 0.15, 0.05]).log()

    assert float(binary_focal(logit, torch.full((1, 1, 1), 2))) == pytest.approx(
        0.0321007, abs=5e-8
    )
    for label in range(4):  # alpha multiplies the background like every other class
        scores = rest.roll(label).view(1, 4, 1, 1)
        value = float(categorical_focal(scores, torch.full((1, 1, 1), 1 << label)))
        assert value == pytest.approx(0.0080252, abs=5e-8)


def test_r2_7_without_focus_they_are_the_cross_entropies() -> None:
    """R2-7. gamma = 0."""
    logits, possible = sample(outputs=1)
    assert torch.allclose(binary_focal(logits, possible, gamma=0.0), bce(logits, possible))

    logits, possible = sample()
    unfocused = categorical_focal(logits, possible, alpha=1.0, gamma=0.0)
    assert torch.allclose(unfocused, ce(logits, possible))


def test_r2_7_categorical_focal_is_keras_formula() -> None:
    """R2-7. Mean over the pixels of the sum over the classes, in double precision."""
    logits, possible = sample()
    p = logits.double().softmax(dim=1)
    y = one_hot(possible, 4).double()
    by_hand = (0.25 * (1 - p) ** 3 * y * -p.log()).sum(dim=1).mean()
    monai = FocalLoss(use_softmax=True, gamma=3.0, weight=[0.25] * 4, reduction="none")
    loss = categorical_focal(logits, possible, gamma=3.0)

    assert float(loss) == pytest.approx(float(by_hand), rel=1e-5)
    assert torch.allclose(loss, monai(logits, y).sum(1).mean().float())


# Dice losses


def fractions(truth: list[float], probability: list[float]) -> tuple[Tensor, Tensor]:
    """Two of 1000 pixels in one channel: the 50 first are foreground, then the 950 others."""
    p = torch.cat([torch.full((50,), probability[0]), torch.full((950,), probability[1])])
    t = torch.cat([torch.full((50,), truth[0]), torch.full((950,), truth[1])])
    return p.double().view(1, 1, 20, 50), t.double().view(1, 1, 20, 50)


@pytest.mark.parametrize(
    ("truth", "probability", "printed", "corrected"),
    [
        pytest.param([1, 0], [1.0, 0.0], math.log(1.5), 0.0, id="perfect"),
        pytest.param([1, 0], [0.5, 0.0], 0.5108, 0.2877, id="half on the foreground"),
        pytest.param([1, 0], [0.05, 0.05], 0.6806, 0.6678, id="uniform"),
        pytest.param([1, 0], [0.0, 1.0], 0.6931, 0.6931, id="disjoint"),
        pytest.param([0, 0], [0.0, 0.0], 0.0, 0.0, id="absent"),
        pytest.param([0, 0], [1e-3, 1e-3], 0.6931, 0.6931, id="absent, suspected"),
    ],
)
def test_r1_10_log_dice_has_the_tabled_values(
    truth: list[float], probability: list[float], printed: float, corrected: float
) -> None:
    """R1-10. As printed a perfect class costs log 1.5; corrected it costs nothing."""
    p, t = fractions(truth, probability)

    assert float(log_dice_of(p, t, form="printed")) == pytest.approx(printed, abs=6e-5)
    assert float(log_dice_of(p, t)) == pytest.approx(corrected, abs=6e-5)


@pytest.mark.parametrize(
    ("probability", "on_background"),
    [([0.05, 0.05], 0.05 / 1.95), ([0.5, 0.0], 0.5), ([1.0, 0.0], 1.0)],
)
def test_r1_10_the_foreground_slope_does_not_depend_on_the_overlap(
    probability: list[float], on_background: float
) -> None:
    """R1-10. -1/U on the foreground for D = .05, 2/3 and 1; D / ((2 - D) U) elsewhere."""
    p, t = fractions([1, 0], probability)
    p.requires_grad_()
    log_dice_of(p, t, smooth=1e-12).sum().backward()
    slope = p.grad * (p + t).detach().sum()

    assert torch.allclose(slope[t == 1], torch.tensor(-1.0).double(), atol=1e-6)
    assert torch.allclose(slope[t == 0], torch.tensor(on_background).double(), atol=1e-6)


def test_r1_10_the_slope_of_neg_log_explodes_where_little_is_found() -> None:
    """R1-10. -39/U at D = .05, which is why the logarithm is taken of 2 - D."""
    p, t = fractions([1, 0], [0.05, 0.05])
    p.requires_grad_()
    log_dice_of(p, t, form="neg_log", smooth=1e-12).sum().backward()

    assert float(p.grad[t == 1][0] * (p + t).detach().sum()) == pytest.approx(-39, abs=1e-4)


@given(seed=st.integers(0, 10_000), sharpness=st.floats(0, 30), per_image=st.booleans())
@settings(max_examples=40, deadline=None)
def test_r1_10_log_dice_lies_between_0_and_log_2(
    seed: int, sharpness: float, per_image: bool
) -> None:
    """R1-10. For every class, whatever the logits; rounding included at the lower end."""
    torch.manual_seed(seed)
    logits = sharpness * torch.randn(2, 4, 3, 4)
    truth = one_hot(1 << torch.randint(0, 4, (2, 3, 4)), 4)
    losses = log_dice_of(logits.softmax(dim=1), truth, per_image=per_image)

    assert losses.shape == ((2, 4) if per_image else (4,))
    assert float(losses.min()) >= 0
    assert float(losses.max()) <= math.log(2) + 1e-6


def test_log_dice_weighs_and_chooses_its_classes() -> None:
    logits, possible = sample()
    each = log_dice_of(logits.softmax(dim=1), one_hot(possible, 4))

    assert torch.allclose(log_dice(logits, possible), each.sum())
    assert torch.allclose(
        log_dice(logits, possible, class_weights=WEIGHTS, include_background=False),
        (WEIGHTS * each)[1:].sum(),
    )
    images = [log_dice(logits[i : i + 1], possible[i : i + 1]) for i in range(2)]
    assert torch.allclose(log_dice(logits, possible, per_image=True), torch.stack(images).mean())
    assert abs(float(log_dice(logits, possible) - torch.stack(images).mean())) > 1e-4


def test_r3_2_pooled_dice_is_one_ratio_over_all_foreground_classes() -> None:
    """R3-2. The sums by hand, and MONAI's generalised Dice with uniform weights."""
    logits, possible = sample((2, 3, 5, 6))
    p, t = logits.softmax(dim=1)[:, 1:].double(), one_hot(possible, 4)[:, 1:].double()
    by_hand = 1 - 2 * float((p * t).sum()) / float(p.sum() + t.sum())
    monai = GeneralizedDiceLoss(
        include_background=False, softmax=True, w_type="uniform", batch=True
    )
    loss = pooled_dice(logits, possible)

    assert float(loss) == pytest.approx(by_hand, rel=1e-6)
    assert torch.equal(loss, monai(logits, one_hot(possible, 4)))
    assert abs(float(loss) - float(dice(logits, possible, smooth=1e-5))) > 1e-4


def test_r3_2_the_second_training_adds_a_fifth_of_pooled_dice() -> None:
    """R3-2."""
    logits, possible = sample()
    loss = make_loss("weighted_ce + 0.2 * pooled_dice", class_weights=WEIGHTS, options={})
    expected = weighted_ce(logits, possible, class_weights=WEIGHTS)

    assert torch.allclose(loss(logits, possible), expected + 0.2 * pooled_dice(logits, possible))


def test_r4_3_the_sum_of_weighted_ce_and_weighted_dice() -> None:
    """R4-3. By hand with numpy, and MONAI's Dice + weighted cross-entropy by pixel."""
    logits, possible = sample((3, 7, 5))
    loss = make_loss("weighted_ce + weighted_dice_sum", class_weights=WEIGHTS, options={})
    p = logits.double().softmax(dim=1).numpy()
    t = one_hot(possible, 4).double().numpy()
    w = WEIGHTS.double().numpy()
    overlap, size = (p * t).sum(axis=(0, 2, 3)), (p + t).sum(axis=(0, 2, 3))
    cross_entropy = -(w[:, None, None] * t * np.log(p)).sum() / possible.numel()
    by_hand = cross_entropy + (w * (1 - (2 * overlap + 1e-6) / (size + 1e-6))).sum()
    monai = DiceLoss(softmax=True, batch=True, reduction="sum", weight=WEIGHTS)
    per_pixel = F.cross_entropy(logits, labels_of(possible), weight=WEIGHTS, reduction="none")

    assert float(loss(logits, possible)) == pytest.approx(by_hand, rel=1e-5)
    assert float(loss(logits, possible)) == pytest.approx(
        float(monai(logits, one_hot(possible, 4)) + per_pixel.mean()), rel=1e-5
    )


def test_r0_3_dice_of_a_sigmoid_is_over_the_batch_or_by_image() -> None:
    """R0-3. Against the sums by hand."""
    logits, possible = sample(outputs=1)
    p, t = logits[:, 0].sigmoid(), (possible == 2).float()

    def by_hand(p: Tensor, t: Tensor) -> Tensor:
        return 1 - (2 * (p * t).sum() + 0.5) / ((p + t).sum() + 0.5)

    assert torch.allclose(dice(logits, possible, smooth=0.5), by_hand(p, t))
    each = torch.stack([by_hand(p[i], t[i]) for i in range(2)]).mean()
    assert torch.allclose(dice(logits, possible, smooth=0.5, per_image=True), each)


@given(
    name=st.sampled_from(DICE_TERMS),
    outputs=st.sampled_from([1, 4]),
    seed=st.integers(0, 10_000),
    spread=st.floats(0.1, 20),
)
@settings(max_examples=60, deadline=None)
def test_no_answer_beats_the_perfect_one(name: str, outputs: int, seed: int, spread: float) -> None:
    torch.manual_seed(seed)
    classes = max(outputs, 2)
    labels = torch.randint(0, int(torch.randint(1, classes + 1, ())), (2, 4, 5))
    possible = (1 << labels).to(torch.uint8)
    certain = 80 * one_hot(possible, classes) - 40
    loss = term(name, outputs)
    perfect = loss(certain if outputs > 1 else certain[:, 1:], possible)

    assert float(perfect) == pytest.approx(0, abs=1e-5)
    assert float(loss(spread * torch.randn(2, outputs, 4, 5), possible)) >= float(perfect) - 1e-6


def test_the_printed_log_dice_has_its_minimum_at_the_perfect_answer_too() -> None:
    logits, possible = sample()
    perfect = log_dice(80 * one_hot(possible, 4) - 40, possible, form="printed")

    assert float(perfect) == pytest.approx(4 * math.log(1.5), abs=1e-5)
    assert log_dice(logits, possible, form="printed") > perfect


# Open labels


def test_partial_losses_of_certain_labels_are_the_ordinary_ones() -> None:
    for outputs in (1, 4):
        logits, possible = sample(outputs=outputs)
        assert torch.allclose(partial_cross_entropy(logits, possible), ce(logits, possible))
        assert torch.allclose(partial_dice_loss(logits, possible), dice(logits, possible))


def test_an_open_pixel_of_a_sigmoid_costs_nothing() -> None:
    logits, possible = sample(outputs=1)
    open_everywhere = torch.full_like(possible, 3)

    assert float(partial_cross_entropy(logits, open_everywhere)) == pytest.approx(0, abs=1e-6)
    logits.requires_grad_()
    partial_cross_entropy(logits, open_everywhere).backward()
    assert float(logits.grad.abs().max()) < 1e-6


# Every term


@pytest.mark.parametrize(("name", "outputs"), CASES)
def test_a_volume_costs_what_its_slices_cost(name: str, outputs: int) -> None:
    """3-D and 2-D agree, since all sums go over the whole batch."""
    logits, possible = sample((2, 3, 5, 4), outputs)
    slices = logits.movedim(2, 1).flatten(0, 1)

    loss = term(name, outputs)
    assert torch.allclose(loss(logits, possible), loss(slices, possible.flatten(0, 1)))


@pytest.mark.parametrize(("name", "outputs"), CASES)
@pytest.mark.parametrize("size", [0.0, 1.0, 1e4])
def test_it_is_finite_whatever_is_absent_and_however_sure_the_network_is(
    name: str, outputs: int, size: float
) -> None:
    logits, _ = sample(outputs=outputs)
    logits *= size
    for label in range(max(outputs, 2)):  # a batch that shows one class only
        possible = torch.full((2, 5, 6), 1 << label)
        leaf = logits.clone().requires_grad_()
        loss = term(name, outputs)(leaf, possible)
        loss.backward()

        assert loss.ndim == 0
        assert bool(loss.isfinite())
        assert leaf.grad.isfinite().all()


@pytest.mark.parametrize(("name", "outputs"), CASES)
def test_half_precision_logits_are_summed_in_full_precision(name: str, outputs: int) -> None:
    logits, possible = sample((2, 40, 40), outputs)
    logits = logits.bfloat16()
    loss = term(name, outputs)(logits, possible)

    assert loss.dtype == torch.float32
    assert torch.equal(loss, term(name, outputs)(logits.float(), possible))


@pytest.mark.parametrize(
    ("name", "outputs"), [case for case in CASES if not case[0].endswith("focal")]
)
def test_its_gradient_is_that_of_its_value(name: str, outputs: int) -> None:
    """MONAI's focal losses compute in single precision, too coarse for finite differences."""
    logits, possible = sample((2, 2, 3), outputs)
    loss = term(name, outputs)

    assert torch.autograd.gradcheck(
        lambda x: loss(x, possible), (logits.double().requires_grad_(),), atol=1e-6
    )


@pytest.mark.parametrize("form", ["printed", "neg_log"])
def test_the_other_forms_of_log_dice_are_finite_and_differentiable(form: str) -> None:
    logits, possible = sample((2, 2, 3))
    loss = term("log_dice", 4, form=form)
    assert torch.autograd.gradcheck(
        lambda x: loss(x, possible), (logits.double().requires_grad_(),), atol=1e-6
    )

    wrong = (40 - 80 * one_hot(possible, 4)).requires_grad_()
    value = loss(wrong, torch.ones_like(possible))
    value.backward()
    assert bool(value.isfinite())
    assert wrong.grad.isfinite().all()


@pytest.mark.parametrize("name", ["binary_focal", "categorical_focal"])
def test_focal_losses_fall_along_their_gradient(name: str) -> None:
    outputs = 1 if name == "binary_focal" else 4
    logits, possible = sample(outputs=outputs)
    logits.requires_grad_()
    before = term(name, outputs)(logits, possible)
    before.backward()
    step = 1e-2 / float(logits.grad.norm())
    after = term(name, outputs)((logits - step * logits.grad).detach(), possible)
    predicted = step * float(logits.grad.square().sum())

    assert float((before - after).detach()) == pytest.approx(predicted, rel=0.02)


@pytest.mark.parametrize("name", BINARY_TERMS)
def test_binary_losses_refuse_several_outputs(name: str) -> None:
    logits, possible = sample()
    with pytest.raises(ModelError, match=f"{name} needs a network with one output, not 4"):
        make_loss(name, class_weights=weights_for(1), options={})(logits, possible)


def test_class_weights_must_fit_the_classes() -> None:
    logits, possible = sample()
    for name in ("weighted_ce", "weighted_dice_sum", "log_dice"):
        with pytest.raises(ModelError, match="2 class weights for 4 classes"):
            make_loss(name, class_weights=weights_for(1), options={})(logits, possible)


def test_weighted_bce_needs_a_usable_weight() -> None:
    logits, possible = sample(outputs=1)
    for weights in (WEIGHTS, torch.tensor([0.0, 1.0])):
        with pytest.raises(ModelError, match="no weight for the foreground"):
            weighted_bce(logits, possible, class_weights=weights)


def test_weighted_dice_sum_is_bounded_by_the_weights() -> None:
    _, possible = sample()
    wrong = 40 - 80 * one_hot(possible, 4)
    loss = weighted_dice_sum(wrong, possible, class_weights=WEIGHTS)

    assert 0.9 * float(WEIGHTS.sum()) < float(loss) <= float(WEIGHTS.sum()) + 1e-5
