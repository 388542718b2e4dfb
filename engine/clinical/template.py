"""How a place wants its reports: letterhead, language, forms, and whether names stay in them.

The template is a TOML file, `report.toml` in the settings folder, or the file that
`HEARTSEG_REPORT_TEMPLATE` names. Without one, reports have no letterhead, are English, and leave
out what names a patient: whoever reads for a hospital sets `profile = "hospital"` once.
"""

import os
import tomllib
from enum import StrEnum
from pathlib import Path

import platformdirs
from pydantic import BaseModel, ConfigDict, Field

from engine.clinical.profile import Profile
from engine.errors import HeartSegError
from engine.toml_faults import first_fault

FILE_NAME = "report.toml"
_VARIABLE = "HEARTSEG_REPORT_TEMPLATE"
_LARGEST_LOGO = 5_000_000  # bytes


class Form(StrEnum):
    """A kind of file that a report is written as."""

    PDF = "pdf"
    CSV = "csv"
    JSON = "json"
    HTML = "html"
    EXCEL = "xlsx"
    REDCAP = "redcap"
    DICOM = "dicom"


class Language(StrEnum):
    """What a report is written in; conventions, findings and file keys stay English."""

    ENGLISH = "en"
    GERMAN = "de"
    FRENCH = "fr"
    ITALIAN = "it"


class Chapter(StrEnum):
    """A part of the printed report that can be left out."""

    IMAGES = "images"
    CURVE = "curve"
    WALL = "wall"
    BASE = "base"
    SLICES = "slices"
    CONVENTIONS = "conventions"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Letterhead(_Part):
    """What stands above a report."""

    hospital: str = Field(default="", description="First line.")
    department: str = Field(default="", description="Second line.")
    address: str = Field(default="", description="Third line.")
    logo: str = Field(default="", description="PNG or JPEG, beside the template or a full path.")


class ReportTemplate(_Part):
    """How a place wants its reports.

    Attributes:
        folder: Where the template was read from; a logo without a folder lies there.
    """

    language: Language = Field(default=Language.ENGLISH, description="en, de, fr or it.")
    profile: Profile = Field(default=Profile.RESEARCH, description="research or hospital.")
    forms: tuple[Form, ...] = Field(
        default=(Form.JSON, Form.CSV, Form.PDF, Form.DICOM), description="Files to write."
    )
    leave_out: tuple[Chapter, ...] = Field(default=(), description="Parts not to print.")
    letterhead: Letterhead = Field(default_factory=Letterhead)
    folder: Path | None = Field(default=None, exclude=True)

    @property
    def logo(self) -> bytes:
        """The logo's file; empty without one.

        Raises:
            HeartSegError: It is missing, or no picture of a reasonable size.
        """
        if not self.letterhead.logo:
            return b""
        path = (self.folder or Path()) / self.letterhead.logo
        try:
            content = path.read_bytes()
        except OSError as error:
            raise HeartSegError(
                f"The logo {path} cannot be read: {error.strerror or error}.",
                hint=f"Put it there, or take `logo` out of {FILE_NAME}.",
            ) from error
        if not content.startswith((b"\x89PNG", b"\xff\xd8")) or len(content) > _LARGEST_LOGO:
            raise HeartSegError(
                f"The logo {path} is no PNG or JPEG below 5 MB.", hint="Give such a picture."
            )
        return content


def template_path() -> Path:
    """Where the template of this place lies; it need not be there."""
    named = os.environ.get(_VARIABLE, "")
    if named:
        return Path(named).expanduser().absolute()
    return Path(platformdirs.user_config_dir("heartseg", appauthor=False)) / FILE_NAME


def read_template(path: Path | None = None) -> ReportTemplate:
    """Read a template.

    Args:
        path: A file; None for that of this place, where none is needed.

    Raises:
        HeartSegError: It is missing though it was named, or a field is wrong.
    """
    place = path or template_path()
    if path is None and not place.is_file() and not os.environ.get(_VARIABLE):
        return ReportTemplate()
    try:
        content = tomllib.loads(place.read_text(encoding="utf-8"))
        return ReportTemplate.model_validate({**content, "folder": place.parent})
    except OSError as error:
        raise HeartSegError(
            f"The report template {place} cannot be read: {error.strerror or error}.",
            hint="Check the path; `heartseg report --help` says how templates are found.",
        ) from error
    except ValueError as error:
        raise HeartSegError(
            f"The report template {place} is not valid: {first_fault(error, ReportTemplate)}.",
            hint="Mend that field; docs/report.md lists them.",
        ) from error
