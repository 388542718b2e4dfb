"""What the commands of the learning loop print."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

from engine.cli.console import say, say_note, say_table

if TYPE_CHECKING:
    from engine.loop.collection import Collected
    from engine.loop.criteria import Criterion
    from engine.loop.gate import Verdict
    from engine.loop.rounds import Round
    from engine.loop.selection import Selection
    from engine.loop.standing import LoopStanding, RoundRecord


def show_collected(found: "Collected", waiting: int) -> None:
    """What was collected, and what was left out."""
    for why in found.left_out:
        say_note(f"Note: {why}")
    new = sum(study.is_new for study in found.studies)
    say(f"{new} new versions of {len(found.studies)} approved studies; {waiting} not learned yet.")


def show_round(done: "Round") -> None:
    """What a round came to."""
    say(f"Round {done.number}: {done.candidate}")
    show_verdict(done.verdict, done.active.model, "candidate")


def show_verdict(verdict: "Verdict", before: str, after: str) -> None:
    """Two models side by side, and what is decided."""
    table = Table("", before, after, "change (95 %)", "allowed")
    for each in verdict.criteria:
        table.add_row(each.title, *_cells(each))
    say_table(table)
    say("ADOPTED." if verdict.adopted else "NOT ADOPTED.")
    for reason in verdict.reasons:
        say(f"  {reason}")


def show_standing(standing: "LoopStanding") -> None:
    """Where a loop stands, and how every round went."""
    from engine.loop.standing import Fate

    if standing.active is not None:
        say(f"Active model: {standing.active.name} ({standing.active.path})")
    for told in filter(None, (standing.fault, standing.note)):
        say_note(f"Note: {told}")
    say(f"Locked patients: {_told_locked(len(standing.loop.locked.patients))}")
    say(f"Approved studies not learned yet: {len(standing.waiting)}")
    if standing.stopped is not None:
        say(f"Round {standing.stopped.number} was stopped: heartseg finetune run goes on with it.")
    titles = ("#", "When", "Data", "Dice", "To correct", "Changed", "Candidate")
    table = Table(
        *titles, caption="Data: studies it learned from. To correct, changed: of 100 slices."
    )
    for each in standing.rounds:
        table.add_row(*_round_cells(each))
    say_table(table)
    for each in standing.rounds:
        if each.fate is Fate.REFUSED:
            say(f"Round {each.number} was not adopted:")
            for reason in each.verdict.reasons:
                say(f"  {reason}")


def _told_locked(count: int) -> str:
    from engine.loop.resampling import limits_known_to

    share = limits_known_to(count)
    return str(count) if share is None else f"{count}; EF limits are known to ±{100 * share:.0f} %"


def selection_facts(chosen: "Selection") -> dict[str, Any]:
    """What to read next, as plain data."""
    return {
        "studies": [
            {
                "folder": str(each.study.folder),
                "name": each.study.name,
                "expected_error_ml": each.study.expected_error_ml,
                "unfamiliarity": each.study.unfamiliarity,
                "distance": each.distance,
                "why": each.why,
            }
            for each in chosen.suggestions
        ],
        "left_out": list(chosen.left_out),
    }


def show_selection(chosen: "Selection") -> None:
    """What to read next, a line each."""
    for why in chosen.left_out:
        say_note(f"Note: {why}")
    for each in chosen.suggestions:
        say(f"{each.rank:3}. {each.study.name}: {each.why}")


def _cells(each: "Criterion") -> list[str]:
    digits = 1 if each.unit else 3
    unit = f" {each.unit}" if each.unit else ""
    shown = [
        "-" if value is None else f"{value:.{digits}f}{unit}" for value in (each.before, each.after)
    ]
    low_high = each.interval
    change = "" if low_high is None else f"{low_high[0]:+.{digits}f} to {low_high[1]:+.{digits}f}"
    sign = "-" if each.better == "higher" else "+"
    worse = "  WORSE" if each.speaks_against else "  may be chance" if each.excused else ""
    return [*shown, change, f"{sign}{each.slack:g}{unit}{worse}"]


def _round_cells(each: "RoundRecord") -> Sequence[str]:
    from engine.loop.standing import CORRECTIONS, MEAN_DICE

    corrected = each.readers_corrected
    return (
        str(each.number),
        each.at[:10],
        str(len(each.studies)),
        _change(each.values(MEAN_DICE), 3),
        _change(each.values(CORRECTIONS), 0),
        "-" if corrected is None else f"{corrected:.0f}",
        str(each.fate),
    )


def _change(values: tuple[float | None, float | None], digits: int) -> str:
    return " > ".join("-" if value is None else f"{value:.{digits}f}" for value in values)
