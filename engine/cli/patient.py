"""Commands about one patient: info, predict, report, phantom."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from engine import __version__
from engine.cli.console import drive, say, say_json, say_note, say_table, write_json
from engine.cli.model_option import named_or_active
from engine.cli.studies import labels_of, open_study, stack_of
from engine.clinical.conventions import Conventions
from engine.clinical.profile import Profile
from engine.doubt import UNFAMILIAR
from engine.errors import UnmeasurableError
from engine.labelmap import LabelMap
from engine.review.states import Review
from engine.study import Provenance, Study

if TYPE_CHECKING:
    from engine.clinical.report import Report

StudyArgument = Annotated[
    Path, typer.Argument(help="Patient folder or file: DICOM, NIfTI, ACDC layout, images.")
]
OutOption = Annotated[Path, typer.Option("--out", help="Folder to write to; made if missing.")]
LabelsOption = Annotated[
    Path | None,
    typer.Option("--labels", help="Label file; without it, the labels that lie in the study."),
]
StackOption = Annotated[
    int, typer.Option("--stack", min=1, help="Which stack of the study, 1 is the best.")
]

ProfileOption = Annotated[
    Profile | None,
    typer.Option("--profile", help="research leaves names and dates out, hospital keeps them."),
]
ConventionOption = Annotated[
    list[str] | None,
    typer.Option("--convention", help="How to measure: basal=half; may be given repeatedly."),
]


class PhasesChoice(StrEnum):
    """Which phases to predict."""

    ED_ES = "ed-es"
    ALL = "all"


class DeviceChoice(StrEnum):
    """Where to compute."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


DeviceOption = Annotated[DeviceChoice, typer.Option("--device", help="Where to compute.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(epilog="Example: heartseg info patient001 --json")(info)
    app.command(epilog="Example: heartseg predict patient001 --out results")(predict)
    app.command(epilog="Example: heartseg report patient001 --labels labels.nii.gz --out results")(
        report
    )
    app.command(epilog="Example: heartseg phantom phantom001 --seed 7")(phantom)


def info(
    study: StudyArgument,
    as_json: Annotated[bool, typer.Option("--json", help="Print data, not prose.")] = False,
) -> None:
    """Say what a patient folder holds, and what is wrong with it."""
    from engine.io.study_summary import describe, summarise

    opened = open_study(study)
    if as_json:
        say_json(summarise(opened))
    else:
        for line in describe(opened):
            say(line)


def predict(
    study: StudyArgument,
    out: OutOption,
    model: Annotated[
        str | None, typer.Option("--model", help="Name of a model, or a model folder.")
    ] = None,
    phases: Annotated[
        PhasesChoice, typer.Option("--phases", help="ED and ES only, or every phase.")
    ] = PhasesChoice.ED_ES,
    device: DeviceOption = DeviceChoice.AUTO,
    stack: StackOption = 1,
) -> None:
    """Label LV, RV and myocardium, or the left atrium, as the model does, and measure them.

    Writes labels.nii.gz (x, y, z, t on the study's own grid; phases not predicted are 0) and
    report.json into the output folder; a report without numbers, and why, where no LV is found
    or the images give no pixel size.
    """
    from engine.clinical.export import report_facts
    from engine.clinical.own_files import refuse_foreign_reports
    from engine.io.atomic_file import make_folder
    from engine.io.label_store import refuse_foreign, save_labels
    from engine.learning.checkpoint import load_model
    from engine.learning.inference import predict as predict_steps

    opened = open_study(study)
    chosen = stack_of(opened, stack)
    place, facts = out / "labels.nii.gz", out / "report.json"
    make_folder(out)  # whatever forbids writing is told before the long work
    refuse_foreign(place, opened)
    refuse_foreign_reports(out, (facts.name,))
    prediction = drive(
        predict_steps(
            load_model(named_or_active(model)),
            chosen.cine,
            phases=phases.value,
            device=device.value,
            key_phases=(chosen.ed_phase, chosen.es_phase),
        )
    )
    for note in prediction.notes:
        if note != UNFAMILIAR:  # the report says it
            say_note(note)
    labels = LabelMap(prediction.voxels, chosen.cine.geometry)
    drive(save_labels(opened, stack - 1, labels, prediction.provenance, path=place))
    say(f"Labels: {place}")
    measured = _measure_or_say_why(opened, stack - 1, labels, prediction.provenance)
    write_json(report_facts(measured), facts)
    say(f"Report: {facts}")
    _show(measured)


def report(  # noqa: PLR0913  (each is an option of the command)
    study: StudyArgument,
    out: OutOption,
    labels: LabelsOption = None,
    stack: StackOption = 1,
    ed: Annotated[int | None, typer.Option("--ed", min=1, help="End-diastolic phase.")] = None,
    es: Annotated[int | None, typer.Option("--es", min=1, help="End-systolic phase.")] = None,
    final: Annotated[
        bool, typer.Option("--final", help="Refuse labels that no reader has approved.")
    ] = False,
    template: Annotated[
        Path | None,
        typer.Option("--template", help="Letterhead, language and forms; else that of this place."),
    ] = None,
    profile: ProfileOption = None,
    convention: ConventionOption = None,
) -> None:
    """Measure labels and write report.pdf, report.csv and report.json.

    A template (docs/report.md) adds report.html, report.xlsx or a row for REDCap.

    Of a study that came as DICOM, also seg.dcm (the labels at ED and ES) and sr.dcm (the
    measurements, TID 1500), for the archive that the images came from.

    ED and ES are those of --ed and --es, else those chosen by hand when the labels were saved,
    else the phases with the largest and the smallest LV cavity. Until a reader has approved the
    labels, the report is marked "NOT APPROVED".

    Conventions: papillary=cavity|mass, basal=reader|half|full, end_slices="whole"|"half gap",
    body_surface=mosteller|dubois|haycock, rv_phases="as LV"|own, mass_phase=ED|ES, ef_digits=0|1,
    density_g_per_ml=1.05.
    """
    from engine.clinical.approval import approval_line, refuse_unapproved
    from engine.clinical.dicom_export import export_report
    from engine.clinical.template import read_template

    wanted = read_template(template)
    if profile is not None:
        wanted = wanted.model_copy(update={"profile": profile})
    opened = open_study(study)
    chosen = stack_of(opened, stack)
    stored = labels_of(opened, chosen, stack - 1, labels)
    measured = _measure(
        opened,
        stack - 1,
        stored.labels,
        stored.provenance,
        ed_phase=stored.ed_phase if ed is None else ed - 1,
        es_phase=stored.es_phase if es is None else es - 1,
        review=stored.review,
        conventions=Conventions.parse(convention or ()),
    )
    if final:
        refuse_unapproved(measured)
    exported = drive(export_report(measured, chosen, stored.labels, out, wanted))
    for path in exported.files:
        say(f"Wrote {path}")
    if exported.note:
        say_note(f"Note: {exported.note}")
    _show(measured)
    say(f"{approval_line(measured)}.")


def phantom(
    folder: Annotated[Path, typer.Argument(help="New folder for the patient.")],
    seed: Annotated[int, typer.Option("--seed", min=0, help="Equal seeds, equal hearts.")] = 0,
) -> None:
    """Make a patient folder with a beating heart of exactly known volume."""
    from engine.datasets.phantom import write_phantom

    say(f"Wrote {drive(write_phantom(folder, seed))}")


def _measure(
    study: Study,
    index: int,
    labels: LabelMap,
    provenance: Provenance,
    *,
    ed_phase: int | None = None,
    es_phase: int | None = None,
    review: Review | None = None,
    conventions: Conventions | None = None,
) -> "Report":
    from engine.clinical.measuring import ReaderChoices
    from engine.clinical.report import report_on

    return report_on(
        study,
        index,
        labels,
        provenance,
        ReaderChoices(conventions or Conventions(), ed_phase, es_phase),
        review=review,
        program_version=__version__,
    )


def _measure_or_say_why(
    study: Study, index: int, labels: LabelMap, provenance: Provenance
) -> "Report":
    """The report of a prediction; without numbers where it allows none."""
    from engine.clinical.report import make_unmeasured_report

    try:
        return _measure(study, index, labels, provenance)
    except UnmeasurableError as why:
        return make_unmeasured_report(study, index, provenance, why, program_version=__version__)


def _show(report: "Report") -> None:
    """The volumes as a table, then the warnings."""
    headings = ("", "EDV [ml]", "ESV [ml]", "SV [ml]", "EF [%]", "90 % range")
    table = Table(*headings, title=report.study_name)
    for name, ventricle, bounds in (
        ("LV", report.lv, report.lv_ef_range),
        ("RV", report.rv, report.rv_ef_range),
    ):
        fraction = ventricle.ejection_fraction
        values = (
            ventricle.end_diastolic_ml,
            ventricle.end_systolic_ml,
            ventricle.stroke_volume_ml,
            None if fraction is None else 100 * fraction,
        )
        shown = ["-" if value is None else f"{value:.1f}" for value in values]
        low_high = "-" if bounds is None else f"{100 * bounds[0]:.0f} to {100 * bounds[1]:.0f}"
        table.add_row(name, *shown, low_high)
    if not report.atrium_alone:
        say_table(table)
    _show_atrium(report)
    for warning in report.warnings:
        say_note(f"Note: {warning}")


def _show_atrium(report: "Report") -> None:
    """The left atrium, where there is one."""
    found = None if report.quantities is None else report.quantities.left_atrium
    if found is None:
        return
    if found.smallest_ml is None:
        say(f"Left atrium: {found.largest_ml:.1f} ml")
        return
    emptied = found.emptying_fraction
    share = "" if emptied is None else f", emptying fraction {100 * emptied:.1f} %"
    say(f"Left atrium: {found.smallest_ml:.1f} to {found.largest_ml:.1f} ml{share}")
