"""From volumes to what the heart does for this body: index, output, plausible limits."""

from math import sqrt

_HEIGHT_CM = (40.0, 230.0)
_WEIGHT_KG = (2.0, 300.0)
_HEART_RATE_BPM = (20.0, 250.0)


def body_surface_m2(height_cm: float | None, weight_kg: float | None) -> float | None:
    """Body surface area [m^2], sqrt(height [cm] x weight [kg] / 3600).

    Mosteller, N Engl J Med 1987;317:1098. None where one is unknown or cannot be that of a
    person (a height given in metres, say).
    """
    if not plausible_height(height_cm) or not plausible_weight(weight_kg):
        return None
    assert height_cm is not None
    assert weight_kg is not None
    return sqrt(height_cm * weight_kg / 3600)


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


def plausible_height(height_cm: float | None) -> bool:
    """Whether a height can be a person's."""
    return height_cm is not None and _HEIGHT_CM[0] <= height_cm <= _HEIGHT_CM[1]


def plausible_weight(weight_kg: float | None) -> bool:
    """Whether a weight can be a person's."""
    return weight_kg is not None and _WEIGHT_KG[0] <= weight_kg <= _WEIGHT_KG[1]


def plausible_heart_rate(heart_rate_bpm: float | None) -> bool:
    """Whether a heart rate can be a person's."""
    return heart_rate_bpm is not None and (
        _HEART_RATE_BPM[0] <= heart_rate_bpm <= _HEART_RATE_BPM[1]
    )
