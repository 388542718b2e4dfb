"""The second page: walls, base, slices, rates, left atrium, normal ranges, limitations.

Contents after the recommended fields of SCMR's reporting guideline (Hundley et al., J Cardiovasc
Magn Reson 2022;24:29, Tables 1 and 2) as far as short axes show them.
"""

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from engine.clinical.detail_rows import (
    base_notes,
    base_rows,
    insertion_line,
    range_rows,
    range_sources,
    rate_rows,
    slice_rows,
    wall_line,
)
from engine.clinical.pages.notes import limits
from engine.clinical.pages.parts import (
    Sheet,
    chapter_heading,
    drawing,
    note,
    number_table,
    short,
    space,
)
from engine.clinical.pages.surround import running_head
from engine.clinical.result_rows import area_length_line, area_length_rows, atrium_rows
from engine.clinical.template import Chapter

_BULLSEYES_PT = (172.0, 235.0)  # at least, at most
_WALL_TEXT_PT = 44.0  # what stands above and below the bullseyes
_SLICE_ROW_PT = 11.7  # a row of the table at 7 pt
_LIMIT = 260  # letters of a sentence
_MODEL = "Segments of the American Heart Association (Cerqueira et al. 2002), seen from the apex."
_SLICE_NOTE = (
    "Volumes in ml, from base to apex; a dash stands where nothing is drawn or counts. Border: "
    "share of the cavity's border that is myocardium."
)


def second_page(sheet: Sheet, left_over: Sequence[Any]) -> list[Any]:
    """The second page; empty where there is nothing for it.

    The slices come in the room that everything else leaves: what finds none stands in the files.

    Args:
        sheet: What is printed.
        left_over: Notes that found no room on the first page.
    """
    if not has_details(sheet) and not left_over:
        return []
    left = [*_foot(sheet), *left_over]
    base, below, slices = _base(sheet), _below(sheet), _slice_rows(sheet)
    head = running_head(sheet)
    room = sheet.height - sheet.taken([*head, *base, *below, *left]) - 4
    least, most = _BULLSEYES_PT
    wanted = sheet.taken(_slices(sheet, slices, room))
    walls = _walls(sheet, min(max(room - wanted - _WALL_TEXT_PT, least), most))
    listed = _slices(sheet, slices, room - sheet.taken(walls))
    return [*head, *walls, *base, *listed, *below, *left]


def spare_pt(sheet: Sheet) -> float:
    """Height that is free on the second page, all slices listed [pt]; 0 without such a page."""
    if not has_details(sheet):
        return 0.0
    others = [*running_head(sheet), *_base(sheet), *_below(sheet), *_foot(sheet)]
    listed = _slices(sheet, _slice_rows(sheet), 10 * sheet.height)
    walls = _BULLSEYES_PT[0] + _WALL_TEXT_PT if _has_walls(sheet) else 0.0
    return max(0.0, sheet.height - sheet.taken([*others, *listed]) - walls - 8)


def _slice_rows(sheet: Sheet) -> list[tuple[str, ...]]:
    return slice_rows(sheet.report) if sheet.shows(Chapter.SLICES) else []


def _below(sheet: Sheet) -> list[Any]:
    return [*_rates(sheet), *_atrium(sheet), *_ranges(sheet)]


def _foot(sheet: Sheet) -> list[Any]:
    return limits(sheet) if has_details(sheet) else []


def _has_walls(sheet: Sheet) -> bool:
    return sheet.shows(Chapter.WALL) and bool(wall_line(sheet.report))


def has_details(sheet: Sheet) -> bool:
    """Whether there is anything for a second page that the first does not hold."""
    report = sheet.report
    return bool(
        _has_walls(sheet)
        or (sheet.shows(Chapter.BASE) and base_rows(report))
        or _slice_rows(sheet)
        or rate_rows(report)
        or range_rows(report)
        or (atrium_rows(report) and not report.atrium_alone)
        or (area_length_rows(report) and not report.atrium_alone)
    )


def _chapter(sheet: Sheet, heading: str, *parts: Any) -> list[Any]:
    return [chapter_heading(sheet.say(heading)), space(2), *parts, space(7)]


def _walls(sheet: Sheet, height: float) -> list[Any]:
    """The bullseyes, so high [pt], and what they mean."""
    report = sheet.report
    wall = None if report.quantities is None else report.quantities.wall
    told = wall_line(report, sheet.say)
    if not sheet.shows(Chapter.WALL) or wall is None or not told:
        return []
    from engine.clinical.figures import make_bullseye_figure

    size_in = (sheet.width / 72, height / 72)
    figure = make_bullseye_figure(wall, size_in=size_in, say=sheet.say)
    say = sheet.say
    said = note(escape(f"{told} {say(_MODEL)} {insertion_line(wall, say)}".rstrip()))
    return _chapter(sheet, "Wall", drawing(figure, sheet.width, height), space(2), said)


def _base(sheet: Sheet) -> list[Any]:
    rows = base_rows(sheet.report, sheet.say)
    if not sheet.shows(Chapter.BASE) or not rows:
        return []
    say = sheet.say
    slices = f"{say('Slices')} ED / ES"
    headings = [say("Rule"), "EDV", "ESV", "SV", "EF", say("Mass"), slices]
    part = sheet.width
    widths = [0.28 * part, *[0.11 * part] * 5, 0.17 * part]
    told = " ".join(short(text, _LIMIT) for text in base_notes(sheet.report))
    said = [space(2), note(escape(told))] if told else []
    return _chapter(sheet, "Base", number_table(headings, rows, widths), *said)


def _slices(sheet: Sheet, rows: Sequence[tuple[str, ...]], room: float) -> list[Any]:
    """As many slices as there is room for [pt], the base first."""
    if not rows:
        return []
    say = sheet.say
    said = note(say(_SLICE_NOTE))
    heading = _chapter(sheet, "Slices", said, space(2))
    count = max(0, int((room - sheet.taken(heading) - 22) / _SLICE_ROW_PT))
    shown = rows[:count]
    more = len(rows) - len(shown)
    names = ("LV", say("Wall"), "RV", say("Border"))
    headings = [say("Slice"), *[f"{phase} {name}" for phase in ("ED", "ES") for name in names]]
    widths = [0.104 * sheet.width, *[0.112 * sheet.width] * 8]
    parts = [number_table(headings, shown, widths)] if shown else []
    if more:
        parts.append(note(f"… and {more} more: all of them stand in report.json and report.csv."))
    return _chapter(sheet, "Slices", *parts, space(2), said)


def _rates(sheet: Sheet) -> list[Any]:
    rows = rate_rows(sheet.report, sheet.say)
    if not rows:
        return []
    say = sheet.say
    headings = ["", "PER", f"{say('after')} ED", "PFR", f"{say('after')} ES"]
    widths = [0.28 * sheet.width, *[0.18 * sheet.width] * 4]
    return _chapter(sheet, "Peak ejection and filling rate", number_table(headings, rows, widths))


def _atrium(sheet: Sheet) -> list[Any]:
    """The left atrium where there are ventricles; alone it stands on the first page."""
    if sheet.report.atrium_alone:
        return []
    rows, by_length = atrium_rows(sheet.report), area_length_rows(sheet.report, sheet.say)
    if not rows and not by_length:
        return []
    cells = [(sheet.say(name), value, index) for name, value, index, *_ in rows]
    cells += [(name, value, index) for name, value, index, *_ in by_length]
    widths = [0.46 * sheet.width, 0.27 * sheet.width, 0.27 * sheet.width]
    part = number_table(["", sheet.say("Volume"), sheet.say("per m²")], cells, widths)
    told = area_length_line(sheet.report, sheet.say)
    said = [space(2), note(escape(told))] if told else []
    return _chapter(sheet, "Left atrium", part, *said)


def _ranges(sheet: Sheet) -> list[Any]:
    rows = range_rows(sheet.report, sheet.say)
    if not rows:
        return []
    say = sheet.say
    headings = ["", say("Here"), say("Normal range"), say("People"), say("Source")]
    part = sheet.width
    widths = [0.28 * part, 0.16 * part, 0.2 * part, 0.26 * part, 0.1 * part]
    sources = range_sources(sheet.report)
    told = " ".join(f"[{n + 1}] {short(text, _LIMIT)}." for n, text in enumerate(sources))
    marked = [(*cells[:-1], f"[{cells[-1]}]") for cells in rows]
    table = number_table(headings, marked, widths)
    return _chapter(sheet, "Normal ranges", table, space(2), note(escape(told)))
