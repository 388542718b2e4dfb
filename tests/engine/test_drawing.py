"""Figures about experiments: what they show, and that every one becomes a file."""

import io
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

from engine.drawing.agreement_plots import PairedQuantity, make_agreement_figure
from engine.drawing.animation import make_animation
from engine.drawing.bars import BarPanel, ComparedValue, make_bars_figure, make_comparison_figure
from engine.drawing.canvas import (
    figure_bytes,
    figure_pixels,
    new_figure,
    write_figure,
)
from engine.drawing.colours import CLASS_COLOURS, class_colours
from engine.drawing.curves import TrainingRun, make_curves_figure
from engine.drawing.images import heart_window, label_outlines
from engine.drawing.panels import (
    PanelCase,
    best_and_worst,
    make_panels_figure,
    make_slices_figure,
)
from engine.drawing.rendering import Layer, View, compose, render_planes, render_surface
from engine.drawing.solids import make_solids_figure
from engine.errors import CannotSaveError, GridMismatchError, UnmeasurableError
from engine.geometry import Geometry
from engine.mesh.files import write_mesh
from engine.mesh.shaping import surface
from engine.mesh.surface import Surface
from engine.progress import run_to_end
from engine.scoring.agreement import agreement
from engine.scoring.evaluation import HEART_CLASSES
from engine.structures import HEART_STRUCTURES
from tests.phantoms import CylinderHeart

HEART = CylinderHeart()
LABELS = HEART.labels().voxels[0]
IMAGE = HEART.cine().voxels[0].astype(np.float32)


def _run(title: str, *, epochs: int = 12, validated: bool = True, chosen: int = 9) -> TrainingRun:
    rows: list[dict[str, float | int | None]] = []
    for epoch in range(1, epochs + 1):
        row: dict[str, float | int | None] = {
            "epoch": epoch,
            "loss": 1 / epoch,
            "learning_rate": 1e-3 * 0.5 ** (epoch // 4),
        }
        if validated:
            row |= {"val_loss": 1.2 / epoch, "val_dice": 1 - 1 / epoch, "val_iou": 1 - 1.1 / epoch}
            row |= {f"val_dice.{name}": 0.9 - 1 / epoch for name in HEART_CLASSES[1:]}
        rows.append(row)
    return TrainingRun(title, rows, chosen)


def _cases(count: int = 2) -> list[PanelCase]:
    plane, grey = LABELS[2], IMAGE[2]
    return [
        PanelCase(
            f"heart {number}",
            grey,
            plane,
            (np.roll(plane, number + 1, axis=0), np.zeros_like(plane)),
            (0.9, None),
            (2.0, 2.0),
        )
        for number in range(count)
    ]


def _surfaces(labels: np.ndarray) -> dict[str, Surface]:
    made = {one.name.lower(): surface(labels, HEART.geometry, one) for one in HEART_STRUCTURES}
    return {name: one for name, one in made.items() if one is not None}


def _texts(figure: Figure) -> list[str]:
    found: list[Any] = figure.findobj(Text)
    return [text.get_text() for text in found]


def _lines(axes: Any) -> list[Any]:
    """Lines with data, without those that only stand for something in a legend."""
    return [line for line in axes.get_lines() if len(line.get_xdata()) > 1]


@pytest.fixture(scope="module")
def figures() -> dict[str, Figure]:
    """One of every kind."""
    values = [10.0, 25.0, 60.0, 65.0]
    return {
        "curves": make_curves_figure([_run("UNet"), _run("Res-UNet")], classes=HEART_CLASSES),
        "panels": make_panels_figure(_cases(1), ["UNet", "Res-UNet"], classes=HEART_CLASSES),
        "slices": make_slices_figure(
            IMAGE, {"reference": LABELS}, classes=HEART_CLASSES, slices=[0, 2]
        ),
        "agreement": make_agreement_figure(
            [PairedQuantity("LV ejection fraction", "%", values, [v + 1 for v in values[::-1]])]
        ),
        "bars": make_bars_figure([BarPanel("training time", "h", {"UNet": 1.0, "Res-UNet": 2.0})]),
        "comparison": make_comparison_figure([ComparedValue("LV ED", 0.94, 0.95)]),
    }


def test_r2_17_every_figure_becomes_a_file_of_every_kind(
    tmp_path: Path, figures: dict[str, Figure]
) -> None:
    starts = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
    for name, figure in figures.items():
        for kind, start in starts.items():
            path = tmp_path / f"{name}.{kind}"
            write_figure(figure, path, dpi=60)
            assert path.read_bytes().startswith(start), path.name


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotSaveError, match="cannot be written as curves"):
        write_figure(new_figure(1, 1), tmp_path / "curves.bmp")


def test_the_same_figure_gives_the_same_picture() -> None:
    first, second = (
        figure_bytes(make_comparison_figure([ComparedValue("LV", 0.94, 0.95)])) for _ in range(2)
    )

    assert first == second


def test_no_text_leaves_the_paper_or_lies_on_another(figures: dict[str, Figure]) -> None:
    """Axis labels, ticks, names in margins and legends of every figure, as they are drawn."""
    for name, figure in figures.items():
        figure_pixels(figure)
        renderer: Any = figure.canvas.get_renderer()  # type: ignore[attr-defined]
        boxes = [
            text.get_window_extent(renderer)
            for axes in figure.axes
            for text in (axes.xaxis.label, axes.yaxis.label, *axes.texts)
            if text.get_text()
        ]
        boxes += [text.get_window_extent(renderer) for text in figure.texts]
        width, height = figure.get_size_inches() * figure.dpi
        for box in boxes:
            assert box.x0 >= -1, name
            assert box.y0 >= -1, name
            assert box.x1 <= width + 1, name
            assert box.y1 <= height + 1, name
        for number, box in enumerate(boxes):
            for other in boxes[number + 1 :]:
                across = min(box.x1, other.x1) - max(box.x0, other.x0)
                along = min(box.y1, other.y1) - max(box.y0, other.y0)
                assert min(across, along) <= 2, name


def test_curves_show_loss_scores_and_rate_of_every_run() -> None:
    figure = make_curves_figure([_run("UNet"), _run("Res-UNet")], classes=HEART_CLASSES)

    by_label = {axes.get_ylabel(): axes for axes in figure.axes}
    assert list(by_label) == [
        "loss",
        "Dice (validation)",
        "mean IoU (validation)",
        "learning rate",
    ]
    assert len(_lines(by_label["loss"])) == 4  # training and validation of both
    assert len(_lines(by_label["Dice (validation)"])) == 2
    assert {"UNet", "Res-UNet", "validation", "chosen epoch"} <= set(_texts(figure))
    assert all(axes.get_xlabel() == "epoch" for axes in figure.axes)


def test_one_run_shows_the_dice_of_each_class_in_its_colour() -> None:
    figure = make_curves_figure([_run("UNet")], classes=HEART_CLASSES)

    (axes,) = [axes for axes in figure.axes if "Dice" in axes.get_ylabel()]
    colours = {line.get_label(): to_hex(line.get_color()) for line in _lines(axes)}
    wanted = class_colours(HEART_CLASSES, on_white=True)
    assert colours["RV"] == wanted["rv"]
    assert colours["myocardium"] == wanted["myocardium"]
    assert wanted["rv"] != CLASS_COLOURS["rv"]  # that yellow could not be seen on white


def test_the_chosen_epoch_is_ringed_where_it_lies() -> None:
    figure = make_curves_figure([_run("UNet", chosen=5)])

    (axes,) = [axes for axes in figure.axes if "Dice" in axes.get_ylabel()]
    rings = [line for line in axes.get_lines() if line.get_marker() == "o"]
    assert [(ring.get_xdata()[0], ring.get_ydata()[0]) for ring in rings] == [(5, 0.8)]


def test_panels_without_data_are_left_out() -> None:
    figure = make_curves_figure([_run("UNet", validated=False)])

    drawn = [axes.get_ylabel() for axes in figure.axes if axes.axison]
    assert drawn == ["loss", "learning rate"]


def test_panels_are_image_reference_and_every_model_with_its_dice() -> None:
    figure = make_panels_figure(_cases(3), ["UNet", "Res-UNet"], classes=HEART_CLASSES)

    assert len(figure.axes) == 3 * 4
    texts = _texts(figure)
    assert texts.count("Dice 0.900") == 3
    assert {"image", "reference", "UNet", "Res-UNet", "heart 0", "RV", "LV"} <= set(texts)
    contours = [len(axes.collections) for axes in figure.axes[:4]]
    assert contours == [0, 3, 3, 0]  # the last model found nothing


def test_contours_have_the_structures_colours() -> None:
    figure = make_panels_figure(_cases(1), ["UNet", "Res-UNet"], classes=HEART_CLASSES)

    drawn = {to_hex(each.get_edgecolor()[0]) for each in figure.axes[1].collections}
    assert drawn == {"#ffd400", "#2fbf71", "#e5383b"}


def test_the_myocardium_is_outlined_with_its_cavity() -> None:
    """Its contour is then the epicardium, as physicians draw it."""
    masks = label_outlines(LABELS[2], class_colours(HEART_CLASSES), HEART_CLASSES)

    assert np.array_equal(masks[CLASS_COLOURS["myocardium"]], np.isin(LABELS[2], (2, 3)))
    assert np.array_equal(masks[CLASS_COLOURS["lv"]], LABELS[2] == 3)


def test_colour_images_are_drawn_as_they_are() -> None:
    frame = np.zeros((30, 40, 3), np.uint8)
    frame[..., 0] = 200
    mask = np.zeros((30, 40), np.uint8)
    mask[10:20, 10:30] = 1

    figure = make_panels_figure(
        [PanelCase("frame", frame, mask, (mask,), (1.0,))],
        ["UNet"],
        classes=("background", "polyp"),
    )

    shown = np.asarray(figure.axes[0].images[0].get_array())
    assert np.array_equal(shown, frame)


def test_labels_of_another_grid_are_refused() -> None:
    case = PanelCase("heart", IMAGE[2], LABELS[2][:-1], (LABELS[2],))
    with pytest.raises(GridMismatchError, match="heart: the image is"):
        make_panels_figure([case], ["UNet"], classes=HEART_CLASSES)
    with pytest.raises(GridMismatchError, match="1 predictions for 2 models"):
        make_panels_figure(
            [PanelCase("heart", IMAGE[2], LABELS[2], (LABELS[2],))],
            ["a", "b"],
            classes=HEART_CLASSES,
        )


def test_best_and_worst_are_told_apart_and_never_shown_twice() -> None:
    scores = [0.7, None, 0.95, 0.2, 0.9]

    assert best_and_worst(scores, count=2) == ((2, 4), (3, 0))
    assert best_and_worst(scores, count=9) == ((2, 4), (3, 0))
    assert best_and_worst([0.5], count=3) == ((0,), ())


@pytest.mark.parametrize("offset", [(0, 0), (-14, -14), (10, 20)])
def test_the_window_round_the_heart_holds_all_of_it_and_is_square(offset: tuple[int, int]) -> None:
    plane = np.roll(LABELS[2], offset, axis=(0, 1))

    rows, columns = heart_window([plane])

    assert np.count_nonzero(plane[rows, columns]) == np.count_nonzero(plane)
    assert plane[rows, columns].shape[0] == plane[rows, columns].shape[1]


def test_a_slice_without_labels_is_shown_whole() -> None:
    rows, columns = heart_window([np.zeros((20, 30), np.uint8)])

    assert (rows, columns) == (slice(0, 20), slice(0, 30))


def test_the_sheet_shows_slices_in_columns_and_label_sets_in_rows() -> None:
    deep = np.repeat(IMAGE, 2, axis=0)
    sets = {"reference": np.repeat(LABELS, 2, axis=0), "3-D": np.repeat(LABELS, 2, axis=0)}

    figure = make_slices_figure(deep, sets, classes=HEART_CLASSES)

    assert len(figure.axes) == 3 * 9  # image and two sets; slices 0 to 8
    assert {f"slice {z}" for z in range(9)} <= set(_texts(figure))
    assert "slice 9" not in _texts(figure)
    with pytest.raises(GridMismatchError, match="slice 12"):
        make_slices_figure(deep, sets, classes=HEART_CLASSES, slices=[12])


def test_bland_altman_lines_stand_at_bias_and_limits() -> None:
    random = np.random.default_rng(4)
    reference = list(random.uniform(20, 70, 30))
    predicted: list[float | None] = [value + random.normal(2, 3) for value in reference]
    predicted[3] = None
    found = agreement(predicted, reference, limits_factor=2.0)

    figure = make_agreement_figure(
        [PairedQuantity("LV ejection fraction", "%", predicted, reference)], limits_factor=2.0
    )

    left, right = figure.axes
    heights = {round(float(line.get_ydata()[0]), 9) for line in right.get_lines()}
    wanted = (0.0, found.bias, found.lower_limit, found.upper_limit)
    assert heights == {round(float(value or 0.0), 9) for value in wanted}
    bands = sorted(
        (float(patch.get_y()), float(patch.get_y() + patch.get_height()))  # type: ignore[attr-defined]
        for patch in right.patches
    )
    assert found.lower_limit_interval is not None
    assert bands[0] == pytest.approx(found.lower_limit_interval)
    points = np.asarray(right.collections[0].get_offsets())
    assert len(points) == found.count == 29
    assert points[0] == pytest.approx(
        ((predicted[0] + reference[0]) / 2, predicted[0] - reference[0])  # type: ignore[operator]
    )
    assert left.get_xlabel() == "reference [%]"
    assert "+2 SD" in _texts(figure)
    assert "n = 29" in next(text for text in _texts(figure) if text.startswith("n ="))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_agreement_of_few_patients_can_be_drawn(count: int) -> None:
    values = [50.0, 50.0, 61.0][:count]

    figure = make_agreement_figure([PairedQuantity("RV EDV", "ml", values, values)])

    assert figure_bytes(figure, dpi=40)


def test_agreement_of_nobody_is_refused() -> None:
    with pytest.raises(UnmeasurableError, match="RV EDV"):
        make_agreement_figure([PairedQuantity("RV EDV", "ml", [None], [3.0])])


def test_bars_begin_at_zero_and_carry_their_numbers() -> None:
    panels = [
        BarPanel("training time", "min", {"UNet": 12.5, "Res-UNet": None}, {"Res-UNet": 25.3}),
        BarPanel("memory", "GB", {"UNet": 4.0}),
    ]

    figure = make_bars_figure(panels)

    assert [axes.get_xlim()[0] for axes in figure.axes] == [0, 0]
    widths = [[patch.get_width() for patch in axes.patches] for axes in figure.axes]  # type: ignore[attr-defined]
    assert widths == [[12.5, 25.3], [4.0]]
    assert {"12.5", "25.3", "4", "training time [min]", "ours", "published"} <= set(_texts(figure))
    names = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert names == ["UNet", "Res-UNet"]


def test_a_void_number_is_hollow_and_joined_to_nothing() -> None:
    values = [ComparedValue("good", 0.9, 0.8), ComparedValue("void", 0.9, 0.375, void=True)]

    figure = make_comparison_figure(values, quantity="mean IoU")

    (axes,) = figure.axes
    joined = [line for line in axes.get_lines() if len(line.get_xdata()) == 2]
    assert [list(line.get_xdata()) for line in joined] == [[0.9, 0.8]]
    hollow = [line for line in axes.get_lines() if line.get_markerfacecolor() == "white"]
    assert [float(line.get_xdata()[0]) for line in hollow] == [0.375]
    assert "published, void" in _texts(figure)


def test_r4_10_the_animation_has_three_panels_and_a_frame_for_each_slice() -> None:
    titles = [f"phase {number}" for number in range(len(IMAGE))]

    content = run_to_end(
        make_animation(
            IMAGE,
            LABELS,
            np.roll(LABELS, 2, axis=1),
            classes=HEART_CLASSES,
            titles=titles,
            frame_ms=250,
        )
    )

    with Image.open(io.BytesIO(content)) as movie:
        frames = []
        for number in range(movie.n_frames):
            movie.seek(number)
            assert movie.info["duration"] == 250
            frames.append(np.asarray(movie.convert("RGB")).astype(int))
        assert movie.info["loop"] == 0  # for ever
    assert len(frames) == len(IMAGE)
    assert frames[0].shape[1] > 2.4 * frames[0].shape[0]
    assert not np.array_equal(frames[0], frames[2])
    for colour in class_colours(HEART_CLASSES).values():  # the palette has kept them
        apart = np.abs(frames[2] - 255 * np.array(to_rgb(colour))).max(axis=-1)
        assert np.count_nonzero(apart < 40) > 30, colour


def test_an_animation_of_other_labels_is_refused() -> None:
    with pytest.raises(GridMismatchError):
        run_to_end(make_animation(IMAGE, LABELS, LABELS[:-1], classes=HEART_CLASSES))


def test_an_animation_may_be_in_colour_and_be_written_upon() -> None:
    colour = np.repeat(IMAGE[..., None], 3, axis=-1) / IMAGE.max()
    seen: list[Figure] = []

    content = run_to_end(
        make_animation(colour, LABELS, LABELS, classes=HEART_CLASSES, finish=seen.append)
    )

    assert len(seen) == len(IMAGE)
    with Image.open(io.BytesIO(content)) as movie:
        assert movie.n_frames == len(IMAGE)


def test_r0_8_the_figure_in_space_shows_image_reference_and_prediction(tmp_path: Path) -> None:
    sides = {"reference": _surfaces(LABELS), "prediction": _surfaces(np.roll(LABELS, 2, axis=1))}

    figure = make_solids_figure(IMAGE, HEART.geometry, sides, classes=HEART_CLASSES)
    write_figure(figure, tmp_path / "heart.png", dpi=80)

    assert len(figure.axes) == 3
    assert {"image", "reference", "prediction", "RV", "myocardium", "LV", "20 mm"} <= set(
        _texts(figure)
    )
    pictures = [np.asarray(axes.images[0].get_array()) for axes in figure.axes]
    for picture in pictures:  # neither empty nor filling the frame
        assert 0.1 < (picture.min(axis=-1) < 0.99).mean() < 0.95
    assert not np.array_equal(pictures[1], pictures[2])


def test_a_prediction_without_anything_leaves_its_panel_white() -> None:
    sides: dict[str, dict[str, Surface]] = {"reference": _surfaces(LABELS), "prediction": {}}

    figure = make_solids_figure(IMAGE, HEART.geometry, sides, classes=HEART_CLASSES)

    assert np.asarray(figure.axes[2].images[0].get_array()).min() == 1


def _volume_in_file(path: Path) -> float:
    """What VTK reads from a mesh file and measures [ml]."""
    from vtkmodules.vtkFiltersCore import vtkMassProperties
    from vtkmodules.vtkIOGeometry import vtkSTLReader
    from vtkmodules.vtkIOPLY import vtkPLYReader

    reader = vtkPLYReader() if path.suffix == ".ply" else vtkSTLReader()
    reader.SetFileName(str(path))
    measure = vtkMassProperties()
    measure.SetInputConnection(reader.GetOutputPort())
    measure.Update()
    return float(measure.GetVolume()) / 1000


@pytest.mark.parametrize("kind", ["ply", "stl"])
def test_r0_8_a_mesh_file_encloses_what_the_voxels_hold(tmp_path: Path, kind: str) -> None:
    """Within 5 per cent, and by far, whatever the structure."""
    path = tmp_path / f"heart.{kind}"
    for structure in HEART_STRUCTURES:
        made = surface(LABELS, HEART.geometry, structure)
        assert made is not None
        voxels_ml = np.count_nonzero(structure == LABELS) * HEART.geometry.voxel_ml
        write_mesh(made, path, colour="#e5383b")
        assert _volume_in_file(path) == pytest.approx(voxels_ml, rel=0.01)
        assert _volume_in_file(path) == pytest.approx(made.volume_ml, rel=1e-4)


def _ball(radius_mm: float, steps: int = 60) -> Surface:
    """A ball of triangles round the origin, turning left as seen from outside."""
    up = np.linspace(0, np.pi, steps + 1)[:, None]
    around = np.linspace(0, 2 * np.pi, 2 * steps, endpoint=False)[None]
    x, y = np.sin(up) * np.cos(around), np.sin(up) * np.sin(around)
    z = np.broadcast_to(np.cos(up), x.shape)
    number = np.arange(x.size).reshape(x.shape)
    faces = []
    for here, below in pairwise(number):
        right, below_right = np.roll(here, -1), np.roll(below, -1)
        faces += [np.stack([here, below, right], 1), np.stack([right, below, below_right], 1)]
    vertices = radius_mm * np.stack([x, y, z], axis=-1).reshape(-1, 3)
    return Surface(vertices.astype(np.float32), np.concatenate(faces))


@pytest.mark.parametrize("degrees", [(0.0, 0.0), (22.0, 120.0), (-50.0, 200.0)])
def test_a_ball_is_drawn_as_a_full_disc_as_deep_as_it_is(degrees: tuple[float, float]) -> None:
    view = View(np.zeros(3), 50.0, *degrees, size=200)

    layer = render_surface(_ball(30.0), view)

    seen = np.isfinite(layer.depth_mm)
    assert seen.mean() == pytest.approx(np.pi * 30**2 / 100**2, rel=0.02)
    rows, columns = np.indices(seen.shape)
    distance_mm = np.hypot(rows - 99.5, columns - 99.5) * view.pixel_mm
    assert seen[distance_mm < 29].all()  # no pixel is left out
    middle = distance_mm < 20
    expected = np.sqrt(30.0**2 - distance_mm[middle] ** 2)
    assert np.abs(layer.depth_mm[middle] - expected).max() < 0.6
    assert layer.facing[middle] == pytest.approx(expected / 30, abs=0.05)
    assert 0.2 < layer.bright[middle].min() < layer.bright[middle].max() <= 1


def test_what_is_nearer_hides_what_is_behind_and_glass_does_not() -> None:
    small, large = (
        render_surface(_ball(r), View(np.zeros(3), 50.0, size=100)) for r in (20.0, 40.0)
    )
    red, green = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)

    hidden = compose([(small, red, 1.0), (large, green, 1.0)])
    through = compose([(large, green, 0.25), (small, red, 1.0)])

    assert hidden[50, 50, 0] == 0
    assert hidden[50, 50, 1] > 0
    assert through[50, 50, 0] > through[50, 50, 1] > 0
    assert (hidden[0, 0] == 1).all()  # paper


def test_planes_show_the_voxel_that_lies_there() -> None:
    """Seen from above, the slice through the middle has its columns and rows where they are."""
    image = np.zeros((3, 40, 40), np.float32)
    image[:, 10:15, 25:35] = 1.0  # rows low, columns high
    geometry = Geometry.from_affine(np.diag([2.0, 2.0, 10.0, 1.0]), image.shape)
    middle = geometry.position_mm(z=1, y=19.5, x=19.5)
    view = View(middle, 40.0, 90.0, -90.0, size=160)  # right is +x, up is +y

    layer = render_planes(image, geometry, view)

    assert isinstance(layer, Layer)
    bright_rows, bright_columns = np.nonzero(layer.bright > 0.5)
    right_mm = (bright_columns.mean() - 79.5) * view.pixel_mm
    up_mm = (79.5 - bright_rows.mean()) * view.pixel_mm
    assert right_mm == pytest.approx(2 * (29.5 - 19.5), abs=0.5)
    assert up_mm == pytest.approx(2 * (12 - 19.5), abs=0.5)
    assert layer.depth_mm[bright_rows, bright_columns] == pytest.approx(0, abs=1e-6)
