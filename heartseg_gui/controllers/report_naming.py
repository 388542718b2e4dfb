"""Whether files that leave the window carry the names of patients."""

from typing import TYPE_CHECKING

from engine.clinical.conventions import Conventions
from engine.clinical.profile import Profile
from engine.errors import HeartSegError
from heartseg_gui.settings import Settings

if TYPE_CHECKING:
    from engine.clinical.template import ReportTemplate


def template_here(settings: Settings) -> "ReportTemplate":
    """The report template of this place, with the profile that the reader has chosen, if any.

    Raises:
        HeartSegError: The template is not valid.
    """
    from engine.clinical.template import read_template

    template = read_template()
    chosen = settings.report_profile
    return template if chosen is None else template.model_copy(update={"profile": chosen})


def profile_here(settings: Settings) -> Profile:
    """The profile in force: that of the settings, else that of the template.

    Raises:
        HeartSegError: The template is not valid.
    """
    return settings.report_profile or template_here(settings).profile


def is_undecided(settings: Settings) -> bool:
    """Whether nobody has said yet if names stay: neither the reader nor the template."""
    if settings.report_profile is not None:
        return False
    try:
        return "profile" not in template_here(settings).model_fields_set
    except HeartSegError:  # whoever uses the template will tell
        return False


def conventions_here(settings: Settings) -> Conventions:
    """The conventions by which the window measures single studies."""
    try:
        return Conventions.from_facts(settings.conventions)
    except HeartSegError:
        return Conventions()
