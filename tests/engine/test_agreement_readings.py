"""Where measurements of readings come from, how they pair, and the command agreement."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.cli import main
from engine.clinical.agreement_report import agreement_csv, compare_all, plain_name
from engine.clinical.conventions import Conventions, PapillaryRule
from engine.clinical.measured_readings import Measured, MeasuredReadings, touched_by
from engine.clinical.measured_sources import Gathered, Source, gather
from engine.clinical.measured_tables import read_table
from engine.errors import ConventionMismatchError, UnmeasurableError, UnreadableStudyError
from engine.io.nifti import write_labels
from engine.labelmap import LabelMap
from engine.progress import run_to_end
from engine.scoring.agreement import agreement
from engine.scoring.agreement_summary import summarise_agreement
from engine.scoring.quantities import in_order, key_of, quantity_of
from tests.phantoms import CylinderHeart

VOLUMES = [100.0, 150.0, 210.0, 120.0, 180.0]


def rows(reading: str, *, bias: float = 0.0, groups: str = "NDNDN", **more: Any) -> list[Measured]:
    return [
        Measured(f"p{n}", reading, {"lv_edv_ml": ml + bias * (1 + n % 2)}, groups[n], **more)
        for n, ml in enumerate(VOLUMES)
    ]


def table(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_gives_a_row_for_each_study_and_names_units_as_files_do(tmp_path: Path) -> None:
    path = table(
        tmp_path,
        "reader.csv",
        'Patient,Group,LVEDV [ml],LV EF (%),remark,Folder\n"p 1",DCM,210.5,31,"a, b",one\n'
        "p2,NOR,,62,,\n",
    )
    first, second = read_table(path)

    assert (first.study, first.group, first.reading) == ("p 1", "DCM", "reader")
    assert first.values == {"lv_edv_ml": 210.5, "lv_ef_percent": 31.0}
    assert second.values == {"lv_edv_ml": None, "lv_ef_percent": 62.0}
    assert (first.folder, second.folder) == (tmp_path / "one", None)


@pytest.mark.parametrize("mark", [";", "\t"])
def test_a_table_of_a_german_spreadsheet_has_decimal_commas(tmp_path: Path, mark: str) -> None:
    lines = [["study", "reader", "lv_esv_ml"], ["p1", "Köhler", "81,5"], ["p1", "B", "80"]]
    path = tmp_path / "both.csv"
    path.write_bytes("\r\n".join(mark.join(line) for line in lines).encode("cp1252"))
    found = MeasuredReadings(read_table(path))

    assert found.readings == ("Köhler", "B")
    assert found.pairs("Köhler", "B", "lv_esv_ml").points[0].difference == 1.5


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no table"),
        ("study,lv_edv_ml\n", "holds no table"),
        ("lv_edv_ml,rv_edv_ml\n1,2\n", "no column that names the study"),
        ("study,remark\np1,fine\n", "no column of numbers"),
        ("study,a,a\np1,1,2\n", "two columns a"),
        ("study,a\np1,1\np2,big\n", "line 3"),
        ("study,a\np1,1\np2,inf\n", "line 3"),
        ("study,a\np1,1,2\n", "Line 2"),
        ("study,a\n,1\n", "names no study"),
        ('study,a\n"p1,1\n', "no table"),
    ],
)
def test_a_table_that_cannot_be_used_says_where(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UnreadableStudyError) as caught:
        read_table(table(tmp_path, "t.csv", text))

    assert told in caught.value.what
    assert caught.value.hint


def test_headings_that_are_no_known_quantity_stay_as_they_are() -> None:
    assert key_of("Feret diameter") == "Feret diameter"
    assert key_of("LVMI [g/m²]") == "lv_mass_index_g_m2"
    assert quantity_of("lv_mass_index_g_m2").unit == "g/m²"
    assert quantity_of("septum_mm").title == "septum"
    assert in_order(["zz", "lv_ef_percent", "lv_edv_ml"]) == ["lv_edv_ml", "lv_ef_percent", "zz"]


def test_pairs_are_first_minus_second_and_tell_who_lacks_a_value() -> None:
    short = [row for row in rows("B") if row.study != "p4"]
    readings = MeasuredReadings([*rows("A", bias=3.0), *short])
    pairs = readings.pairs("A", "B", "lv_edv_ml")

    assert [point.difference for point in pairs.points] == [3.0, 6.0, 3.0, 6.0]
    assert pairs.points[0].mean == 101.5
    assert pairs.left_out == ("p4",)
    assert pairs.groups == ("D", "N")
    assert [point.study for point in pairs.of_group("D").points] == ["p1", "p3"]


def test_each_group_is_summarised_by_its_own_pairs() -> None:
    readings = MeasuredReadings([*rows("A", bias=3.0), *rows("B")])
    whole, *groups = summarise_agreement(readings.pairs("A", "B", "lv_edv_ml"), limits_factor=2)

    assert whole.agreement.bias == pytest.approx(np.mean([3, 6, 3, 6, 3]))
    assert {each.group: each.agreement.bias for each in groups} == {"N": 3.0, "D": 6.0}
    assert (whole.agreement.limits_factor, whole.other_limits.limits_factor) == (2.0, 1.96)
    facts = whole.as_json()
    for factor in (1.96, 2.0):
        wanted = agreement(*readings.pairs("A", "B", "lv_edv_ml").values, limits_factor=factor)
        assert facts["limits"][f"{factor:g}"]["upper_limit"] == wanted.upper_limit


def test_a_reading_that_measured_a_study_twice_is_refused() -> None:
    with pytest.raises(UnmeasurableError, match="p0 twice"):
        MeasuredReadings([*rows("A"), *rows("A")])


def test_numbers_of_different_conventions_are_refused_with_the_reason() -> None:
    usual, other = Conventions(), Conventions(papillary=PapillaryRule.MASS)
    readings = MeasuredReadings([*rows("A", conventions=usual), *rows("B", conventions=other)])

    with pytest.raises(ConventionMismatchError) as caught:
        readings.pairs("A", "B", "lv_edv_ml")
    assert "papillary" in caught.value.what
    assert "p0" in caught.value.what
    unknown = MeasuredReadings([*rows("A", conventions=usual), *rows("B")])
    assert len(unknown.pairs("A", "B", "lv_edv_ml").points) == 5


def test_a_convention_forbids_only_what_it_changes() -> None:
    """Papillary muscles do not change the RV, nor the body surface what is not indexed."""
    kept = {key: {each.name for each in touched_by(key)} for key in (
        "rv_edv_ml", "lv_edv_ml", "lv_mass_g", "lv_edvi_ml_m2", "la_max_ml",
    )}  # fmt: skip

    assert kept == {
        "rv_edv_ml": {"RV_VOLUMES"},
        "lv_edv_ml": {"LV_VOLUMES"},
        "lv_mass_g": {"MASS"},
        "lv_edvi_ml_m2": {"LV_VOLUMES", "INDICES"},
        "la_max_ml": set(),
    }


def test_three_readers_have_one_coefficient_over_all_of_them() -> None:
    readings = MeasuredReadings([*rows("A", bias=3.0), *rows("B"), *rows("C", bias=-2.0)])
    facts = compare_all(readings, "B")

    assert [(each["first"], each["second"]) for each in facts["comparisons"]] == [
        ("A", "B"),
        ("C", "B"),
    ]
    (together,) = facts["all"]
    assert together["studies"] == 5
    assert together["interval"][0] < together["icc_2_1"] < together["interval"][1]


def test_the_table_of_results_starts_no_formula_and_holds_what_the_facts_say() -> None:
    readings = MeasuredReadings([*rows("=A()", bias=3.0), *rows("B")])
    facts = compare_all(readings, "B")
    lines = list(csv.DictReader(agreement_csv(facts).splitlines()))

    assert [line["group"] for line in lines] == ["all", "D", "N"]
    assert lines[0]["first"] == "'=A()"
    found = facts["comparisons"][0]["groups"]["all"]
    assert float(lines[0]["bias"]) == found["bias"]
    assert float(lines[0]["upper_2"]) == found["limits"]["2"]["upper_limit"]
    assert float(lines[0]["icc_2_1_low"]) == found["intervals"]["icc_2_1"][0]


def test_names_of_figures_are_names_of_files() -> None:
    assert plain_name("Dr. Müller / 2nd: lv?") == "Dr.-Müller-2nd-lv"
    assert plain_name("///") == "figure"


def test_label_files_are_measured_by_study_with_their_phases_together(tmp_path: Path) -> None:
    """Frames of one study may lie in files of their own; the numbers are those of one map."""
    heart = CylinderHeart()
    labels = heart.labels((0, 2))
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir()
    for phase, name in ((0, "p1_frame01_gt"), (2, "p1_frame12_gt")):
        part = LabelMap(labels.voxels[phase : phase + 1].copy(), labels.geometry)
        write_labels(theirs / f"{name}.nii.gz", part)
    write_labels(ours / "p1.nii.gz", labels)
    found = run_to_end(gather([Source(ours), Source(theirs, "Reference")]))
    one, other = (row.values for row in found.readings.rows)

    assert found.readings.readings == ("ours", "Reference")
    assert one == other
    assert one["lv_edv_ml"] == pytest.approx(heart.lv_ml(0), rel=0.02)
    assert one["lv_ef_percent"] == pytest.approx(100 * heart.ejection_fraction, abs=2)


def report(folder: Path, study: str, edv_ml: float, **choices: Any) -> Path:
    """A report.json, as far as it matters here."""
    folder.mkdir(parents=True, exist_ok=True)
    facts = {
        "program": {"name": "HeartSeg"},
        "study": {"name": study, "path": f"/data/{study}"},
        "patient": {"group": "DCM"},
        "provenance": {"origin": "predicted", "model": "net", "corrected_by": ""},
        "lv": {"edv_ml": edv_ml, "ef_low_percent": 3.0, "esv_ml": None},
        "rv": {"edv_ml": edv_ml / 2},
        "conventions": {},
    }
    (folder / "report.json").write_text(json.dumps(facts))
    return folder / "report.json"


def test_reports_are_read_with_their_folder_and_group(tmp_path: Path) -> None:
    first = report(tmp_path / "net" / "p1", "p1", 140)
    report(tmp_path / "net" / "p2", "p2", 150)
    (tmp_path / "net" / "p3").mkdir()
    (tmp_path / "net" / "p3" / "report.json").write_text("[1]")
    found = run_to_end(gather([Source(tmp_path / "net"), Source(first)]))

    assert found.readings.readings == ("net", "Prediction (net)")
    row = found.readings.rows[0]
    assert (row.study, row.group, row.folder) == ("p1", "DCM", Path("/data/p1"))
    assert row.values == {"lv_edv_ml": 140.0, "rv_edv_ml": 70.0}
    assert len(found.problems) == 1
    assert "p3" in found.problems[0]


def test_readings_of_one_name_in_two_folders_are_told_apart(tmp_path: Path) -> None:
    for model in ("old", "new"):
        for reading in ("net", "Reference"):
            lines = "study,reading,lv_edv_ml\n" + f"p1,{reading},{100 + len(reading)}\n"
            (tmp_path / model).mkdir(exist_ok=True)
            (tmp_path / model / f"{reading}.csv").write_text(lines)
    paths = [tmp_path / "old" / "net.csv", tmp_path / "new" / "net.csv"]
    found = run_to_end(gather([Source(path) for path in paths]))

    assert found.readings.readings == ("net", "net (new)")
    with pytest.raises(UnmeasurableError):
        run_to_end(gather([Source(paths[0]), Source(paths[0], "net")]))
    third = run_to_end(gather([Source(path) for path in (*paths, tmp_path / "old" / "net.csv")]))
    assert third.readings.readings[2] == "net (old)"


def test_a_source_may_be_named_and_a_path_with_an_equals_sign_stays_one(tmp_path: Path) -> None:
    odd = tmp_path / "a=b"
    odd.mkdir()

    assert Source.parse(f"Reader A={tmp_path}") == Source(tmp_path, "Reader A")
    assert Source.parse(str(odd)) == Source(odd)


@pytest.mark.parametrize("made", ["missing", "empty", "text"])
def test_a_source_without_measurements_says_so(tmp_path: Path, made: str) -> None:
    path = tmp_path / made
    if made != "missing":
        path.mkdir()
    if made == "text":
        (path / "notes.md").write_text("nothing")
    with pytest.raises(UnreadableStudyError) as caught:
        run_to_end(gather([Source(path)]))

    assert made in caught.value.what
    assert caught.value.hint


def write_tables(folder: Path) -> tuple[Path, Path]:
    def lines(bias: float) -> str:
        values = [f"p{n},{'ND'[n % 2]},{ml + bias * n}" for n, ml in enumerate(VOLUMES)]
        return "\n".join(["study,group,lv_edv_ml", *values]) + "\n"

    return table(folder, "ours.csv", lines(2.0)), table(folder, "theirs.csv", lines(0.0))


def test_the_command_writes_statistics_points_and_figures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, theirs = write_tables(tmp_path)
    out = tmp_path / "out"
    code = main(["agreement", f"Müller={ours}", str(theirs), "--out", str(out), "--limits", "2"])
    facts = json.loads((out / "agreement.json").read_text(encoding="utf-8"))
    found = facts["comparisons"][0]

    assert code == 0
    assert facts["reference"] == "theirs"
    assert found["groups"]["all"]["bias"] == 4.0
    assert set(found["groups"]) == {"all", "N", "D"}
    heads = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF"}
    for kind, start in heads.items():
        path = out / "figures" / f"Müller-lv_edv_ml.{kind}"
        assert path.read_bytes().startswith(start)
    points = list(csv.DictReader((out / "points.csv").read_text("utf-8-sig").splitlines()))
    assert [float(each["difference"]) for each in points] == [0.0, 2.0, 4.0, 6.0, 8.0]
    assert "+4.0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--against", "nobody"], "nobody"),
        (["--quantity", "rv_edv_ml"], "rv_edv_ml"),
    ],
)
def test_the_command_refuses_what_is_not_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], told: str
) -> None:
    ours, theirs = write_tables(tmp_path)
    code = main(["agreement", str(ours), str(theirs), "--out", str(tmp_path / "out"), *more])

    assert code == 2
    assert told in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("*.json"))


def test_one_reading_alone_is_nothing_to_compare(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ours, _ = write_tables(tmp_path)

    assert main(["agreement", str(ours), "--out", str(tmp_path / "out")]) == 2
    assert "only one reading" in capsys.readouterr().err


def test_studies_without_a_common_name_are_nothing_to_compare(tmp_path: Path) -> None:
    ours, _ = write_tables(tmp_path)
    other = table(tmp_path, "other.csv", "study,lv_edv_ml\nx1,100\n")

    assert main(["agreement", str(ours), str(other), "--out", str(tmp_path / "out")]) == 2


def test_what_is_gathered_keeps_the_order_of_the_sources(tmp_path: Path) -> None:
    ours, theirs = write_tables(tmp_path)
    found: Gathered = run_to_end(gather([Source(theirs), Source(ours, "A")]))

    assert found.readings.readings == ("theirs", "A")
    assert found.problems == ()
