"""Places in a stack in the words of the reader: numbers from 1, millimetres, milliseconds."""

from engine.cine import Cine
from engine.turning import turned_axes as turned_axes


def slice_position_text(cine: Cine, slice_index: int) -> str:
    """Where the middle of a slice lies along the stack's normal, e.g. `−23.5 mm`."""
    index = min(slice_index, cine.slice_count - 1)
    _, _, height, width = cine.shape
    centre_mm = cine.geometry.position_mm(z=index, y=(height - 1) / 2, x=(width - 1) / 2)
    position_mm = float(centre_mm @ cine.geometry.slice_normal)
    return f"{position_mm:.1f} mm".replace("-", "−")


def phase_time_text(cine: Cine, phase: int) -> str:
    """When after the R wave a phase lies, e.g. `320 ms`; empty where unknown."""
    time_ms = cine.time_ms(min(phase, cine.phase_count - 1))
    return "" if time_ms is None else f"{time_ms:.0f} ms"
