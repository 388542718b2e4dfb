"""Rows for REDCap and workbooks: every study the same columns, every number that of the report."""

import csv
import re
from io import BytesIO, StringIO
from typing import Any

import openpyxl
import pytest

from engine.clinical.export import report_facts
from engine.clinical.forms.fields import FIELDS
from engine.clinical.forms.redcap import redcap_csv, redcap_dictionary
from engine.clinical.forms.workbook import workbook_bytes
from engine.clinical.report import make_report
from engine.study import Provenance
from tests.phantoms import CylinderHeart

HEART = CylinderHeart()


@pytest.fixture(scope="module")
def facts() -> dict[str, Any]:
    return report_facts(
        make_report(HEART.study(), 0, HEART.labels(), Provenance(), program_version="9.9")
    )


def row_of(text: str) -> dict[str, str]:
    (row,) = csv.DictReader(StringIO(text))
    return row


def test_names_are_what_redcap_takes() -> None:
    names = [each.name for each in FIELDS]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]{0,25}", name) for name in names)


def test_the_dictionary_describes_every_column(facts: dict[str, Any]) -> None:
    described = list(csv.DictReader(StringIO(redcap_dictionary())))
    names = [each["Variable / Field Name"] for each in described]
    assert [*names, "heartseg_complete"] == list(row_of(redcap_csv(facts)))
    assert all(each["Field Type"] in {"text", "yesno"} for each in described)
    assert {e["Variable / Field Name"] for e in described if e["Identifier?"]} == {"study_name"}


def test_a_row_holds_the_reports_numbers(facts: dict[str, Any]) -> None:
    row = row_of(redcap_csv(facts))
    assert float(row["lv_edv_ml"]) == pytest.approx(facts["lv"]["edv_ml"], abs=1e-4)
    assert float(row["rv_ef_percent"]) == pytest.approx(facts["rv"]["ef_percent"], abs=1e-4)
    assert row["rule_papillary"] == "cavity"
    assert row["approved"] == "0"
    assert row["heartseg_complete"] == "1"
    assert "nan" not in redcap_csv(facts).lower()


def test_what_is_unknown_is_an_empty_cell(facts: dict[str, Any]) -> None:
    unknown = facts | {"lv": dict.fromkeys(facts["lv"]), "wall": {"segments": []}}
    row = row_of(redcap_csv(unknown))
    assert row["lv_edv_ml"] == ""
    assert row["aha7_ed_mm"] == ""


def test_segments_find_their_columns(facts: dict[str, Any]) -> None:
    segments = [{"segment": 7, "ed_mm": 9.25, "es_mm": 12.5, "thickening_percent": 35.1}]
    row = row_of(redcap_csv(facts | {"wall": {"segments": segments}}))
    assert (row["aha7_ed_mm"], row["aha7_es_mm"], row["aha1_ed_mm"]) == ("9.25", "12.5", "")


def test_a_workbook_holds_numbers_as_numbers(facts: dict[str, Any]) -> None:
    book = openpyxl.load_workbook(BytesIO(workbook_bytes(facts)))
    summary = {row[1]: row[2] for row in book["Summary"].values}
    assert summary["LV end-diastolic volume"] == pytest.approx(facts["lv"]["edv_ml"])
    slices = list(book["Slices"].values)
    assert len(slices) == 1 + len(facts["slices"])
    assert dict(zip(slices[0], slices[1], strict=True)) == facts["slices"][0]
    assert {"Conventions", "Basal", "Basal rules"} <= set(book.sheetnames)


@pytest.mark.parametrize("name", ["=1+1", "+49", "@SUM(A1)", "a\x00b"])
def test_no_name_becomes_a_formula(facts: dict[str, Any], name: str) -> None:
    odd = facts | {"study": facts["study"] | {"name": name}}
    book = openpyxl.load_workbook(BytesIO(workbook_bytes(odd)))
    (cell,) = [row[2] for row in book["Summary"].iter_rows() if row[1].value == "Study"]
    assert cell.data_type == "s"
    row = row_of(redcap_csv(odd | {"study": odd["study"] | {"name": name.replace("\x00", "")}}))
    assert row["study_name"][:1] not in "=+@"
