"""From what a recipe writes under `[loss]` to the loss it means."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ModelError
from engine.learning.losses import (
    LOSSES,
    make_loss,
    needs_certain_labels,
    one_hot,
    parse_sum,
)
from engine.learning.losses.cross_entropy import weighted_ce
from engine.learning.losses.dice import log_dice

WEIGHTS = torch.tensor([0.1, 2.0, 3.0, 1.5])


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(5)
    labels = torch.randint(0, 4, (2, 6, 5), generator=generator)
    return torch.randn(2, 4, 6, 5, generator=generator), 1 << labels


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("dice", ((1.0, "dice"),)),
        ("weighted_ce + 0.2*pooled_dice", ((1.0, "weighted_ce"), (0.2, "pooled_dice"))),
        ("1.0 * weighted_ce + 0.2 * pooled_dice", ((1.0, "weighted_ce"), (0.2, "pooled_dice"))),
        (" .5*ce+1e-1 * dice ", ((0.5, "ce"), (0.1, "dice"))),
        ("2 * ce + 0 * dice", ((2.0, "ce"), (0.0, "dice"))),
    ],
)
def test_a_sum_is_read(text: str, terms: tuple[tuple[float, str], ...]) -> None:
    assert parse_sum(text) == terms


@given(
    st.lists(
        st.tuples(st.floats(1e-6, 1e6), st.sampled_from(sorted(LOSSES))),
        min_size=1,
        unique_by=lambda term: term[1],
    )
)
def test_every_sum_that_is_written_is_read_back(terms: list[tuple[float, str]]) -> None:
    assert parse_sum(" + ".join(f"{weight!r} * {name}" for weight, name in terms)) == tuple(terms)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "character 1 stands the end"),
        ("dice +", "character 7 stands the end"),
        ("dice + * ce", r"character 8 stands '\* ce'"),
        ("0.2 dice", r"character 5 stands 'dice', not a \*"),
        ("dice - ce", r"character 6 stands '- ce', not a \+"),
        ("-1 * dice", "character 1"),
        ("1e999 * dice", "finite"),
        ("dice + dice", "twice"),
        ("0 * dice", "are 0"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_place(text: str, place: str) -> None:
    with pytest.raises(ModelError, match=place):
        parse_sum(text)


def test_an_unknown_loss_is_named_with_the_nearest_one() -> None:
    with pytest.raises(ModelError, match=r"no loss 'weigted_ce' \(did you mean weighted_ce\?\)"):
        parse_sum("weigted_ce + 0.2 * dice")


def test_only_the_partial_losses_take_open_labels() -> None:
    assert not needs_certain_labels(parse_sum("partial_ce + partial_dice"))
    assert needs_certain_labels(parse_sum("partial_ce + dice"))
    open_terms = {name for name in LOSSES if not needs_certain_labels(((1.0, name),))}
    assert open_terms == {"partial_ce", "partial_dice"}


@given(ce=st.floats(0, 5), log=st.floats(0.01, 5))
@settings(max_examples=25, deadline=None)
def test_r1_11_the_sum_is_linear_in_its_weights(ce: float, log: float) -> None:
    """R1-11. L = lambda_ce L_ce + lambda_dice L_dice, and each part is told for the log."""
    logits, possible = batch()
    loss = make_loss(f"{ce!r} * weighted_ce + {log!r} * log_dice", class_weights=WEIGHTS)
    parts = {
        "weighted_ce": weighted_ce(logits, possible, class_weights=WEIGHTS),
        "log_dice": log_dice(logits, possible, class_weights=WEIGHTS),
    }

    expected = ce * parts["weighted_ce"] + log * parts["log_dice"]
    assert torch.allclose(loss(logits, possible), expected, rtol=1e-5)
    assert loss.values(logits, possible) == parts
    assert loss.terms == ((ce, "weighted_ce"), (log, "log_dice"))


def test_options_reach_their_term_and_no_other() -> None:
    logits, possible = batch()
    loss = make_loss(
        "weighted_ce + log_dice",
        class_weights=WEIGHTS,
        options={"weighted_ce": {"reduction": "sum"}, "log_dice": {"form": "printed", "smooth": 1}},
    )
    values = loss.values(logits, possible)

    summed = weighted_ce(logits, possible, class_weights=WEIGHTS, reduction="sum")
    printed = log_dice(logits, possible, class_weights=WEIGHTS, form="printed", smooth=1.0)
    assert torch.equal(values["weighted_ce"], summed)
    assert torch.equal(values["log_dice"], printed)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"log_dice": {"smoth": 1e-6}}, r"no option 'smoth' \(did you mean smooth\?\)"),
        ({"log_dise": {"smooth": 1e-6}}, r"'log_dise' \(did you mean log_dice\?\)"),
        ({"log_dice": {"form": "corect"}}, "'corrected', 'printed' or 'neg_log'"),
        ({"log_dice": {"smooth": 0}}, "greater than 0"),
        ({"log_dice": {"smooth": "1"}}, "valid number"),
        ({"log_dice": {"per_image": 1}}, "valid boolean"),
        ({"log_dice": {"class_weights": [1, 2]}}, "no option 'class_weights'"),
        ({"ce": {"weight": 1}}, r"no option 'weight'.*no options"),
        ({"categorical_focal": {"gamma": 0.5}}, "gamma must be 0, or 1 and more"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, dict[str, object]], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        make_loss("ce + log_dice + categorical_focal", options=options)


@pytest.mark.parametrize("name", ["weighted_ce", "weighted_bce", "weighted_dice_sum"])
def test_a_weighted_loss_without_weights_is_not_silently_unweighted(name: str) -> None:
    with pytest.raises(ModelError, match=f"{name} needs class weights"):
        make_loss(name)


def test_weighted_bce_takes_a_given_weight_instead() -> None:
    loss = make_loss("weighted_bce", options={"weighted_bce": {"pos_weight": 20}})
    possible = torch.full((1, 2, 2), 2)

    assert float(loss(torch.zeros(1, 1, 2, 2), possible)) == pytest.approx(20 * 0.693147, rel=1e-5)


@pytest.mark.parametrize(
    "weights", [[1.0, float("nan")], [1.0, -1.0], [0.0, 0.0], [[1.0, 2.0]], [float("inf"), 1.0]]
)
def test_impossible_class_weights_are_refused(weights: list[float]) -> None:
    with pytest.raises(ModelError, match="class weights"):
        make_loss("weighted_ce", class_weights=torch.tensor(weights))


def test_a_loss_that_does_not_fit_the_network_is_found_before_training() -> None:
    make_loss("weighted_ce + dice", class_weights=WEIGHTS).check(4)
    make_loss("bce + dice").check(1)
    with pytest.raises(ModelError, match="one output"):
        make_loss("bce").check(4)
    with pytest.raises(ModelError, match="4 class weights for 2 classes"):
        make_loss("weighted_ce", class_weights=WEIGHTS).check(1)


def test_the_gradient_of_a_sum_moves_the_logits_to_the_truth() -> None:
    logits, possible = batch()
    leaf = logits.clone().requires_grad_()
    loss = make_loss("weighted_ce + weighted_dice_sum", class_weights=WEIGHTS)
    optimiser = torch.optim.Adam([leaf], lr=0.5)
    for _ in range(40):
        optimiser.zero_grad()
        loss(leaf, possible).backward()
        optimiser.step()

    assert torch.equal(leaf.argmax(dim=1), one_hot(possible, 4).argmax(dim=1))
