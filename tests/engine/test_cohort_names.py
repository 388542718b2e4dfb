"""Cohorts that name nobody, and cohorts measured by other conventions than the usual ones."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main
from engine.clinical.basal import BasalRule
from engine.clinical.conventions import Conventions
from engine.clinical.measured_readings import Measured, MeasuredReadings
from engine.clinical.measured_sources import Source, gather
from engine.clinical.measured_tables import read_table
from engine.clinical.nameless_readings import without_names
from engine.clinical.profile import Profile
from engine.clinical.volumes import EndSlices
from engine.cohort import study_work
from engine.cohort.outcome import (
    CohortOutcome,
    CohortTask,
    CohortWish,
    Naming,
    Status,
    earlier_outcome,
)
from engine.cohort.pseudonyms import named_left_overs, naming_by, write_key
from engine.cohort.running import plan_cohort, run_cohort, run_here
from engine.errors import CannotSaveError, ConventionMismatchError, HeartSegError
from engine.io.label_store import save_labels
from engine.io.study_folder import read_study
from engine.progress import Steps, run_to_end
from engine.study import Origin, Provenance, StoredLabels, Study
from tests.engine.test_cohort import HEART, write_study
from tests.engine.test_dicom import dataset, save, write_cine
from tests.engine.test_dicom_results import draw

SECRETS = ("ID4711", "4711", "Miller", "Secret", "19610203", "cine of")
MODEL = Provenance(Origin.PREDICTED, "made-up", "0123456789abcdef" * 4)
HALF = Conventions(basal=BasalRule.HALF)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret of its own for every test."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))


def write_patient(folder: Path, identifier: str, *, labelled: bool = True) -> None:
    """A patient of DICOM images, called by name in headers, folder and series."""
    facts = {
        "PatientID": identifier,
        "PatientName": "Miller^Secret",
        "PatientBirthDate": "19610203",
        "SeriesDescription": f"cine of {identifier}",
        "FrameOfReferenceUID": "1.2.9",
    }
    write_cine(folder, slices=3, phases=4, **facts)
    if labelled:
        study = run_to_end(read_study(folder))
        run_to_end(save_labels(study, 0, draw(study.stacks[0]), MODEL))


@pytest.fixture
def patients(tmp_path: Path) -> Path:
    """Two visits of a patient, a folder of two patients at once, and a research folder."""
    root = tmp_path / "patients"
    for visit in ("Miller_2019", "Miller_2021"):
        write_patient(root / visit, "ID4711")
    write_patient(root / "Secret_both", "ID4711", labelled=False)
    save(dataset(0, 0, PatientID="ID4712", PatientName="Miller^Other"), root / "Secret_both" / "zz")
    write_study(root / "heart-seven")
    return root


def run(patients: Path, out: Path, wish: CohortWish) -> list[CohortOutcome]:
    tasks = run_to_end(plan_cohort(patients, out, wish))
    return run_to_end(run_cohort(tasks, out, run_here()))


def rows_of(out: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((out / "cohort.csv").read_text("utf-8-sig").splitlines()))


def assert_silent(out: Path, words: tuple[str, ...]) -> None:
    """No file and no name of a file tells any of the words."""
    for path in out.rglob("*"):
        told = str(path.relative_to(out)).encode()
        told += path.read_bytes() if path.is_file() else b""
        for word in words:
            assert word.encode() not in told, (path, word)


def test_a_cohort_of_dicom_names_nobody_and_its_table_is_whole(
    patients: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    wish = CohortWish(stored=True, pdf=False, naming=Naming.DICOM)
    outcomes = run(patients, out, wish)
    rows = rows_of(out)

    assert_silent(out, (*SECRETS, "4712", "Other"))
    assert [row["status"] for row in rows] == ["done", "done", "failed", "done"]
    names = [row["study"] for row in rows]
    assert all(name.startswith("HS-") for name in names[:3])
    assert names[3] == "heart-seven"  # the name of a research folder stays
    assert len(set(names)) == 4
    assert names[0][:11] == names[1][:11] == names[2][:11]  # the same patient
    assert [row["folder"] == "" for row in rows] == [True, True, True, False]
    assert rows[0]["report"] == f"{names[0]}/report.json"
    assert (out / rows[0]["report"]).is_file()
    assert "2 patients" in rows[2]["reason"]
    assert outcomes[0].folder == patients / "Miller_2019"  # this run knows where it lies


def test_a_nameless_cohort_goes_on_where_it_was(patients: Path, tmp_path: Path) -> None:
    out, wish = tmp_path / "out", CohortWish(stored=True, naming=Naming.HIDDEN)
    run(patients, out, wish)
    before = {path: path.stat().st_mtime_ns for path in out.glob("*/report.json")}
    again = run(patients, out, wish)

    assert {path: path.stat().st_mtime_ns for path in out.glob("*/report.json")} == before
    assert len(before) == 3
    assert_silent(out, (*SECRETS, "heart-seven"))
    tasks = run_to_end(plan_cohort(patients, out, wish))
    known = earlier_outcome(tasks[3])
    assert known is not None
    assert known.folder == patients / "heart-seven"
    assert known.report == tasks[3].out / "report.json"
    assert [each.name for each in again] == [task.name for task in tasks]


def test_labels_of_a_model_say_nothing_of_the_patient_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def predict(_task: CohortTask, study: Study) -> Steps[StoredLabels]:
        yield from ()
        return StoredLabels("labels.nii.gz", 0, draw(study.stacks[0]), MODEL)

    monkeypatch.setattr(study_work, "_predict", predict)
    monkeypatch.setattr("engine.cohort.running._hash_of", lambda _: "")
    write_patient(tmp_path / "patients" / "Miller", "ID4711", labelled=False)
    (outcome,) = run(tmp_path / "patients", tmp_path / "out", CohortWish(naming=Naming.DICOM))

    assert outcome.status is Status.DONE
    assert outcome.labels is not None
    assert outcome.labels.is_file()
    assert_silent(tmp_path / "out", SECRETS)


def test_the_key_lies_apart_and_is_the_owner_s_alone(patients: Path, tmp_path: Path) -> None:
    out, key = tmp_path / "out", tmp_path / "safe" / "key.csv"
    tasks = run_to_end(plan_cohort(patients, out, CohortWish(stored=True, naming=Naming.DICOM)))

    assert run_to_end(write_key(tasks, key, out)) == 3
    rows = list(csv.DictReader(key.read_text("utf-8-sig").splitlines()))
    assert [row["identifier"] for row in rows] == ["ID4711"] * 3
    assert {row["pseudonym"] for row in rows} == {task.pseudonym for task in tasks[:3]}
    assert key.stat().st_mode & 0o077 == 0
    run_to_end(write_key(tasks[:1], key, out))  # of another cohort: the others stay
    assert len(key.read_text("utf-8-sig").splitlines()) == 4
    with pytest.raises(CannotSaveError, match="among the results"):
        run_to_end(write_key(tasks, out / "key.csv", out))
    (tmp_path / "letter.csv").write_text("Dear reader")
    with pytest.raises(CannotSaveError, match="no key"):
        run_to_end(write_key(tasks, tmp_path / "letter.csv", out))


def test_results_of_an_earlier_run_under_names_are_told(patients: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(patients, out, CohortWish(stored=True))
    hidden = run_to_end(plan_cohort(patients, out, CohortWish(stored=True, naming=Naming.DICOM)))
    kept = run_to_end(plan_cohort(patients, out, CohortWish(stored=True)))

    assert named_left_overs(hidden, out) == ["Miller_2019", "Miller_2021", "Secret_both"]
    assert named_left_overs(kept, out) == []


@pytest.mark.parametrize(
    ("profile", "everywhere", "naming"),
    [
        (Profile.RESEARCH, False, Naming.DICOM),
        (Profile.HOSPITAL, False, Naming.KEPT),
        (Profile.HOSPITAL, True, Naming.HIDDEN),
    ],
)
def test_the_profile_says_whose_names_are_hidden(
    profile: Profile, everywhere: bool, naming: Naming
) -> None:
    assert naming_by(profile, everywhere=everywhere) is naming


def test_the_same_folder_names_give_the_same_pseudonyms(tmp_path: Path) -> None:
    """So that two readers' studies still pair."""
    names = []
    for reader in ("a", "b"):
        for name in ("one", "two"):
            write_study(tmp_path / reader / name)
        wish = CohortWish(stored=True, naming=Naming.HIDDEN)
        names += [task.name for task in run_to_end(plan_cohort(tmp_path / reader, tmp_path, wish))]

    assert names[:2] == names[2:]
    assert len(set(names)) == 2
    assert all(name.startswith("HS-") for name in names)


def test_the_command_hides_names_and_writes_the_key(
    patients: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, key = tmp_path / "out", tmp_path / "key.csv"
    called = ["cohort", str(patients), "--out", str(out), "--stored"]

    assert main([*called, "--convention", "basal=half", "--key", str(key)]) == 0
    told = capsys.readouterr()
    assert_silent(out, SECRETS)
    assert "3 pseudonyms" in told.out
    assert "Miller" not in told.err
    assert key.is_file()
    assert {row["conventions"][:40] for row in rows_of(out) if row["conventions"]} == {
        HALF.as_text()[:40]
    }
    assert main([*called, "--profile", "hospital"]) == 0
    assert {"Miller_2019", "heart-seven"} <= {
        row["folder"].rpartition("/")[2] for row in rows_of(out)
    }


def test_a_cohort_is_measured_by_the_wished_conventions(tmp_path: Path) -> None:
    """The density changes the mass in its proportion; the digits change what is printed alone."""
    for name in ("one", "two"):
        write_study(tmp_path / "patients" / name)
    usual, others = tmp_path / "usual", tmp_path / "others"
    wish = CohortWish(stored=True)
    one = run(tmp_path / "patients", usual, wish)
    two = run(tmp_path / "patients", others, replace(wish, conventions=Conventions(ef_digits=1)))
    again = run(
        tmp_path / "patients",
        usual,
        replace(wish, conventions=Conventions(density_g_per_ml=1.1)),
    )

    assert one[0].values == two[0].values
    assert two[0].conventions["ef_digits"] == 1
    mass = [each[0].values["lv_mass_g"] for each in (one, again)]
    assert mass[0] is not None
    assert mass[1] is not None
    assert mass[1] / mass[0] == pytest.approx(1.1 / 1.05)
    facts = json.loads((usual / "one" / "report.json").read_text(encoding="utf-8"))
    assert facts["choices"]["density_g_per_ml"] == 1.1
    assert read_table(usual / "cohort.csv")[0].conventions == Conventions(density_g_per_ml=1.1)


def test_conventions_that_cannot_be_followed_fail_with_their_reason(tmp_path: Path) -> None:
    write_study(tmp_path / "patients" / "p1")
    wish = CohortWish(stored=True, conventions=Conventions(end_slices=EndSlices.HALF_GAP))
    (outcome,) = run(tmp_path / "patients", tmp_path / "out", wish)

    assert outcome.status is Status.FAILED
    assert "thick" in outcome.reason


def test_wishes_survive_the_way_to_another_process(tmp_path: Path) -> None:
    wish = CohortWish("m", "0", stored=True, conventions=HALF, naming=Naming.HIDDEN)
    task = CohortTask(tmp_path, tmp_path / "out", wish, "1", "HS-00000000")

    assert CohortTask.from_text(task.as_text()) == task
    assert (
        task.fingerprint != replace(task, wish=replace(wish, conventions=Conventions())).fingerprint
    )


@pytest.mark.parametrize(
    "chosen", [Conventions(), HALF, Conventions(end_slices=EndSlices.HALF_GAP)]
)
def test_conventions_survive_the_way_through_a_cell(chosen: Conventions) -> None:
    assert Conventions.from_text(chosen.as_text()) == chosen


def test_conventions_are_told_by_what_differs() -> None:
    assert Conventions().told == "the usual"
    assert HALF.told == "basal rule half"
    with pytest.raises(HeartSegError):
        Conventions.from_text("basal=hlaf")


def test_agreement_measures_labels_by_the_wished_conventions(tmp_path: Path) -> None:
    """A table that was measured as usual beside labels measured otherwise: told, and refused."""
    write_study(tmp_path / "studies" / "p1", HEART)
    out = tmp_path / "out"
    run(tmp_path / "studies", out, CohortWish(stored=True))
    sources = [Source(tmp_path / "studies", "A"), Source(out / "cohort.csv", "B")]
    found = run_to_end(gather(sources, conventions=HALF))
    readings = found.readings

    assert readings.conventions_of("A") == (HALF,)
    assert readings.conventions_of("heart_seg.nii.gz") == (Conventions(),)
    assert any("basal rule: reader, not half" in told for told in found.problems)
    with pytest.raises(ConventionMismatchError):
        readings.pairs("A", "heart_seg.nii.gz", "lv_edv_ml")
    assert readings.pairs("A", "heart_seg.nii.gz", "rv_edv_ml").points


def test_the_files_of_agreement_say_which_conventions(tmp_path: Path) -> None:
    for reader in ("a", "b"):
        for number in range(3):
            write_study(tmp_path / reader / f"p{number}", replace(HEART, first=number % 2 + 1))
    out = tmp_path / "out"
    called = ["agreement", f"A={tmp_path / 'a'}", f"B={tmp_path / 'b'}", "--out", str(out)]

    assert (
        main(
            [*called, "--convention", "mass_phase=ES", "--format", "svg", "--quantity", "lv_mass_g"]
        )
        == 0
    )
    facts = json.loads((out / "agreement.json").read_text(encoding="utf-8"))
    assert facts["conventions"]["A"][0]["mass_phase"] == "ES"
    (row, *_) = csv.DictReader((out / "agreement.csv").read_text("utf-8-sig").splitlines())
    assert "mass_phase=ES" in row["first_conventions"]


def measured(study: str, reading: str, **more: Any) -> Measured:
    return Measured(study, reading, {"lv_edv_ml": 100.0}, **more)


def test_agreement_of_dicom_names_nobody(patients: Path, tmp_path: Path) -> None:
    for visit in ("Miller_2021", "heart-seven"):  # two studies of one name are refused anyway
        (patients / visit).rename(tmp_path / visit)
    found = run_to_end(gather([Source(patients, "A")]))
    assert found.names_patients
    hidden = run_to_end(without_names(found, "salt"))
    told = repr(hidden)

    assert not any(word in told for word in (*SECRETS, "4712"))
    assert hidden.readings.studies[0].startswith("HS-")
    assert len(hidden.problems) == len(found.problems) > 0


def test_names_of_research_folders_stay_in_agreement() -> None:
    rows = [measured("p1", "A"), measured("p1", "B", folder=Path("/data/p1"))]
    from engine.clinical.measured_sources import Gathered

    hidden = run_to_end(without_names(Gathered(MeasuredReadings(rows), ()), "salt"))
    assert hidden.readings.rows == tuple(rows)
