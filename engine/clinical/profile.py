"""Who a report is for; apart from templates, whose reading a command line pays for only then."""

from enum import StrEnum


class Profile(StrEnum):
    """Who a report is for."""

    RESEARCH = "research"
    """Names, identifiers and dates of patients are left out of every exported file."""

    HOSPITAL = "hospital"
    """They stay, so that the archive knows whose report it is."""
