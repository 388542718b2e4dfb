"""From volumes to what the heart does for this body: index, output, plausible limits."""

_HEART_RATE_BPM = (20.0, 250.0)


def cardiac_output_l_min(
    stroke_volume_ml: float | None, heart_rate_bpm: float | None
) -> float | None:
    """Cardiac output [l/min], SV [ml] x heart rate [1/min] / 1000."""
    if stroke_volume_ml is None or heart_rate_bpm is None:
        return None
    if not plausible_heart_rate(heart_rate_bpm):
        return None
    return stroke_volume_ml * heart_rate_bpm / 1000


def indexed(value: float | None, body_surface: float | None) -> float | None:
    """A value per m^2 of body surface, or None where either is unknown."""
    return None if value is None or body_surface is None else value / body_surface


def plausible_heart_rate(heart_rate_bpm: float | None) -> bool:
    """Whether a heart rate can be a person's."""
    return heart_rate_bpm is not None and (
        _HEART_RATE_BPM[0] <= heart_rate_bpm <= _HEART_RATE_BPM[1]
    )
