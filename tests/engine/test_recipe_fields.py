"""The form of a recipe comes from the recipe's own definition."""

import pytest

from engine.learning.recipe_fields import (
    FieldKind,
    RecipeField,
    parse_text,
    recipe_fields,
    text_of,
    value_of,
)
from engine.recipe import Recipe, change_recipe, list_recipes, read_recipe

FIELDS = {field.name: field for field in recipe_fields()}
CHOSEN = {FieldKind.FLAG, FieldKind.CHOICE, FieldKind.CHOICES}


def test_every_field_of_a_recipe_is_in_the_form_once() -> None:
    names = []
    for name, info in Recipe.model_fields.items():
        part = info.annotation
        inner = getattr(part, "model_fields", None)
        names += [name] if inner is None else [f"{name}.{each}" for each in inner]
    assert sorted(FIELDS) == sorted(names)


@pytest.mark.parametrize("name", list_recipes())
def test_what_the_form_shows_of_a_recipe_reads_back_as_the_same_recipe(name: str) -> None:
    recipe = read_recipe(name)
    changes = {
        field.name: parse_text(field, text_of(field, value_of(recipe, field.name)))
        for field in FIELDS.values()
        if field.kind not in CHOSEN
    }
    assert change_recipe(recipe, changes) == recipe


@pytest.mark.parametrize(
    ("name", "kind", "allowed"),
    [
        ("training.epochs", FieldKind.WHOLE, "1 or more"),
        ("training.momentum", FieldKind.NUMBER, "from 0 to below 1"),
        ("training.factor", FieldKind.NUMBER, "above 0 to below 1"),
        ("augmentation.rotation_degrees", FieldKind.NUMBER, "from 0 to 180"),
        ("training.optimiser", FieldKind.CHOICE, ""),
        ("data.phases", FieldKind.CHOICES, ""),
        ("image.clahe", FieldKind.FLAG, ""),
        ("image.size", FieldKind.NUMBERS, ""),
        ("split.leave_out", FieldKind.LINES, ""),
    ],
)
def test_kind_and_range_are_those_of_the_definition(
    name: str, kind: FieldKind, allowed: str
) -> None:
    assert (FIELDS[name].kind, FIELDS[name].range_text) == (kind, allowed)


def test_help_defaults_and_choices_are_those_of_the_definition() -> None:
    assert FIELDS["image.spacing_mm"].optional
    assert FIELDS["image.spacing_mm"].help.startswith("Pixel size in plane")
    assert FIELDS["training.optimiser"].choices == ("adamw", "adam", "sgd")
    assert FIELDS["training.learning_rate"].default == 2e-3
    assert "median_count" in FIELDS["loss.class_weights"].choices
    assert (FIELDS["image.size"].count, FIELDS["image.size"].whole) == (2, True)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("training.epochs", "ten", "'ten' is not a whole number"),
        ("training.epochs", "0", "out of range: 1 or more"),
        ("training.momentum", "1", "out of range: from 0 to below 1"),
        ("training.learning_rate", "0", "above 0"),
        ("training.learning_rate", "nan", "out of range"),
        ("image.size", "64", "Write 2 numbers"),
        ("loss.options", "a = ", "not written as in a recipe"),
    ],
)
def test_what_is_no_value_is_refused_in_words(name: str, text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse_text(FIELDS[name], text)


def test_an_empty_line_leaves_an_optional_field_out() -> None:
    assert parse_text(FIELDS["image.spacing_mm"], "  ") is None
    assert parse_text(FIELDS["loss.class_weights"], "1, 2.5, 3") == (1.0, 2.5, 3.0)
    assert parse_text(RecipeField("x", FieldKind.NUMBERS, (), whole=True), "4 ,8") == (4, 8)
