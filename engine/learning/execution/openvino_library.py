"""The one door to OpenVINO, opened when it is needed and not before."""

import sys
from functools import cache
from typing import Any


@cache
def open_openvino() -> Any:
    """Import OpenVINO without its telemetry.

    Unless it is told otherwise, OpenVINO reports its import and every conversion to a web
    service and leaves an identifier in the home folder. Where its telemetry package cannot be
    imported it takes a stub that does nothing; so that package is barred first.

    Raises:
        ImportError: It is not installed, or its libraries do not run here.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


def openvino_version() -> str:
    """The installed version, found without importing it; empty where there is none."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("openvino")
    except PackageNotFoundError:
        return ""
