"""Measurements of many studies without what names the patients of DICOM images."""

from dataclasses import replace

from engine.clinical.anonymous import hide_words, identity_of_folder, pseudonym_of
from engine.clinical.measured_readings import MeasuredReadings
from engine.clinical.measured_sources import Gathered
from engine.io.dicom_names import patient_in
from engine.progress import Steps

_HIDDEN = "(hidden)"


def without_names(gathered: Gathered, salt: str) -> Steps[Gathered]:
    """The same measurements, where studies that came as DICOM have pseudonyms and no folder.

    Tables, reports and research folders keep the names that they have.

    Args:
        gathered: All measurements.
        salt: Secret of this computer, see `engine.clinical.anonymous.salt_of_this_computer`.
    """
    named = {row.study for row in gathered.readings.rows if row.from_dicom}
    given = {study: pseudonym_of(study, salt) for study in named}
    rows = [
        replace(row, study=given[row.study], folder=None) if row.study in given else row
        for row in gathered.readings.rows
    ]
    problems = list(gathered.problems)
    for study in sorted(named, key=len, reverse=True):
        problems = [hide_words(each, (study,), given[study]) for each in problems]
    for place in gathered.troubled:
        found = yield from patient_in(place, every=True)
        if found is not None:
            identity = identity_of_folder(place, _HIDDEN, found.words)
            problems = [identity.hide(each) for each in problems]
    return Gathered(MeasuredReadings(rows), tuple(problems))
