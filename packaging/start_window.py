"""Where the frozen window starts."""

import multiprocessing
import os
import sys
from collections.abc import MutableMapping

from heartseg_gui.app import main


def restore_library_path(environment: MutableMapping[str, str]) -> None:
    """Let programs that the window opens, a file manager say, load the system's own libraries.

    The bundle's starter points Linux at the bundle's folder and keeps aside what was set before.
    This process has read it by now.

    Args:
        environment: Of this process; changed in place.
    """
    before = environment.pop("LD_LIBRARY_PATH_ORIG", None)
    environment.pop("LD_LIBRARY_PATH", None)
    if before is not None:
        environment["LD_LIBRARY_PATH"] = before


if __name__ == "__main__":
    multiprocessing.freeze_support()  # worker processes start here too, and go no further
    restore_library_path(os.environ)
    sys.exit(main())
