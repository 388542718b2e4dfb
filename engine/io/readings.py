"""Where further readings of a study are kept, beside the first one."""

import re
from pathlib import Path

from engine.study import Study

SECOND = 2


def reading_place(study: Study, stack: int, number: int = SECOND) -> Path:
    """The label file of a second reading, or of a later one; the first one's is never touched.

    Labels saved there come back with the study after those of the first reading.

    Args:
        study: The study, as it was read.
        stack: Index of the stack that the labels lie on.
        number: Which reading, 2 is the second.
    """
    from engine.io.label_store import default_place  # it loads the readers of images

    first = default_place(study, stack)
    stem = re.sub(r"\.nii(\.gz)?$", "", first.name)
    return first.with_name(f"{stem}_reading_{number}.nii.gz")
