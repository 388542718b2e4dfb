"""Templates and languages: found, refused in words, and complete."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from engine.cli import main
from engine.clinical.export import report_facts, write_report
from engine.clinical.forms.html_page import html_page
from engine.clinical.forms.wording import WORDS, Wording
from engine.clinical.profile import Profile
from engine.clinical.report import Report, make_report
from engine.clinical.template import (
    Chapter,
    Form,
    Language,
    Letterhead,
    ReportTemplate,
    read_template,
)
from engine.errors import CannotSaveError, HeartSegError
from engine.progress import run_to_end
from engine.study import Provenance
from tests.discs import write_disc_patients
from tests.phantoms import CylinderHeart

HEART = CylinderHeart()
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@pytest.fixture(scope="module")
def report() -> Report:
    return make_report(HEART.study(), 0, HEART.labels(), Provenance(), program_version="9.9")


def page_of(report: Report, **changes: object) -> str:
    return html_page(report, report_facts(report), ReportTemplate.model_validate(changes))


class _Tags(HTMLParser):
    """Counts what is opened and closed, and collects addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"meta", "br", "img"}:
            self.open.append(tag)
        self.sources += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("language", list(Language))
def test_every_language_has_every_word(language: Language) -> None:
    say = Wording(language)
    if language is not Language.ENGLISH:
        assert set(WORDS) <= set(say._words)
    assert all(say(word).strip() for word in WORDS)


@pytest.mark.parametrize("language", list(Language))
def test_a_page_is_whole_and_loads_nothing(report: Report, language: Language) -> None:
    page = page_of(report, language=language.value)
    tags = _Tags()
    tags.feed(page)
    assert tags.open == []
    assert tags.sources
    assert all(source.startswith("data:image/") for source in tags.sources)
    assert f'lang="{language.value}"' in page
    assert Wording(language)("Ejection fraction") in page


def test_a_page_says_what_the_report_says(report: Report) -> None:
    page = page_of(report)
    assert f"{report.lv.end_diastolic_ml:.0f} ml" in page
    assert "NOT APPROVED" in page
    assert all(each.text.split(",")[0][:30] in page for each in report.conventions[:3])


def test_chapters_can_be_left_out(report: Report) -> None:
    page = page_of(report, leave_out=[each.value for each in Chapter])
    assert "<img" not in page
    assert "Conventions" not in page


def test_names_are_text_and_never_markup(report: Report) -> None:
    page = page_of(report, letterhead={"hospital": "<script>alert(1)</script>"})
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_a_template_is_read_with_its_logo(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(PIXEL)
    (tmp_path / "t.toml").write_text(
        'language = "de"\nprofile = "hospital"\nforms = ["html"]\n'
        '[letterhead]\nhospital = "Klinik"\nlogo = "logo.png"\n'
    )
    template = read_template(tmp_path / "t.toml")
    assert (template.language, template.profile) == (Language.GERMAN, Profile.HOSPITAL)
    assert template.logo == PIXEL


def test_without_a_template_there_is_the_usual_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("HEARTSEG_REPORT_TEMPLATE", raising=False)
    assert read_template() == ReportTemplate()
    named = tmp_path / "mine.toml"
    named.write_text('language = "it"\n')
    monkeypatch.setenv("HEARTSEG_REPORT_TEMPLATE", str(named))
    assert read_template().language is Language.ITALIAN
    monkeypatch.setenv("HEARTSEG_REPORT_TEMPLATE", str(tmp_path / "gone.toml"))
    with pytest.raises(HeartSegError, match="cannot be read"):
        read_template()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('langage = "de"', "langage"),
        ('language = "xx"', "language"),
        ("forms = 3", "forms"),
        ("no toml", "not valid"),
    ],
)
def test_a_wrong_template_is_told(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "t.toml").write_text(text)
    with pytest.raises(HeartSegError, match=re.escape(said)):
        read_template(tmp_path / "t.toml")


@pytest.mark.parametrize("content", [None, b"GIF89a", b"\x89PNG" + bytes(6_000_000)])
def test_a_logo_that_is_none_is_told(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "logo.png").write_bytes(content)
    template = ReportTemplate(letterhead=Letterhead(logo="logo.png"), folder=tmp_path)
    with pytest.raises(HeartSegError, match="logo"):
        _ = template.logo


@pytest.mark.parametrize("form", [Form.HTML, Form.EXCEL, Form.REDCAP])
def test_each_form_replaces_its_own_file_and_no_other(
    report: Report, tmp_path: Path, form: Form
) -> None:
    template = ReportTemplate(forms=(form,))
    written = run_to_end(write_report(report, tmp_path, template))
    run_to_end(write_report(report, tmp_path, template))
    written[0].write_bytes(b"mine")
    with pytest.raises(CannotSaveError, match="was not written by HeartSeg"):
        run_to_end(write_report(report, tmp_path, template))
    assert written[0].read_bytes() == b"mine"


def test_the_command_takes_a_template(tmp_path: Path) -> None:
    patient = write_disc_patients(tmp_path / "all", 1) / "p0"
    (tmp_path / "t.toml").write_text('forms = ["html", "xlsx"]\nlanguage = "fr"\n')
    called = ["report", str(patient), "--out", str(tmp_path / "out")]
    assert main([*called, "--template", str(tmp_path / "t.toml")]) == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"report.html", "report.xlsx"}
    assert main([*called, "--template", str(tmp_path / "gone.toml")]) == 2
