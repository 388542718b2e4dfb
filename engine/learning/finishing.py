"""What follows the last epoch: curves, scores on the test patients, and the model card."""

import math

from engine.datasets.splits import Split
from engine.io.atomic_file import write_atomically
from engine.learning.card import TrainingSummary, write_card
from engine.learning.checkpoint import load_model
from engine.learning.checksums import write_checksums
from engine.learning.run_folder import RunFolder
from engine.learning.scorecard import score_held_out, write_scores
from engine.progress import Progress, Steps
from engine.recipe import Recipe


def finish_run(
    folder: RunFolder, recipe: Recipe, split: Split, *, chosen_epoch: int, device: str
) -> Steps[None]:
    """Make a finished training a model that tells about itself, and drop its state.

    Args:
        folder: The run, with the weights.
        recipe: What was trained.
        split: Its test patients are scored, once.
        chosen_epoch: The epoch whose weights are the model, from 1.
        device: auto, cpu or cuda.
    """
    yield Progress(0, 0, "Drawing curves")
    _draw_curves(folder, recipe, chosen_epoch)
    write_checksums(folder.path)
    scores = None
    if split.test:
        scores = yield from score_held_out(load_model(folder.path), split.test, device=device)
        write_scores(scores, folder.path)
    summary = TrainingSummary(
        epochs=len(folder.rows),
        chosen_epoch=chosen_epoch,
        seconds=math.fsum(row["seconds"] or 0 for row in folder.rows),
        warnings=sum(not sign.get("early", False) for sign in folder.warnings),
    )
    card = write_card(recipe, scores, trained=split.train, held_out=split.test, training=summary)
    write_atomically(folder.path / "card.md", card.encode())
    folder.drop_state()


def _draw_curves(folder: RunFolder, recipe: Recipe, chosen_epoch: int) -> None:
    """Draw the log as curves.png."""
    from engine.drawing.canvas import write_figure
    from engine.drawing.curves import TrainingRun, make_curves_figure

    run = TrainingRun(recipe.title, folder.rows, chosen_epoch)
    figure = make_curves_figure([run], classes=recipe.task.classes)
    write_figure(figure, folder.path / "curves.png")
