"""How the heart is seen in space: panes, colours, fog, cuts; and the place that is marked there."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Signal

from engine.structures import Structure

PointMm = tuple[float, float, float]
"""Patient coordinates (right, anterior, superior) [mm]."""

Voxel = tuple[int, float, float]
"""Slice (0-based), row and column; whole numbers are voxel centres."""

Shares = tuple[float, float]
"""From where to where, 0 to 1."""

ALL_OF_IT: Shares = (0.0, 1.0)
_LEAST_SHARE = 0.05  # of what is drawn
_WALL_OPACITY = 0.45  # the cavities lie inside
_TRANSFER = "bssfp"


class Panes(Enum):
    """How many pictures there are."""

    ONE = "one"
    THREE = "three"  # image, label, prediction


class Colouring(Enum):
    """What the colours of a surface say."""

    STRUCTURE = "structure"
    DIFFERENCE = "difference"  # from the other labels
    THICKNESS = "thickness"  # of the myocardium
    MOTION = "motion"  # of the wall since end-diastole


class LabelSource(Enum):
    """Whose labels a pane shows."""

    LABELS = "labels"  # on the screen, as they are edited
    REFERENCE = "reference"
    PREDICTION = "prediction"  # what the model gave


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the stack, along its columns, rows and slices."""

    x: Shares = ALL_OF_IT
    y: Shares = ALL_OF_IT
    z: Shares = ALL_OF_IT

    @property
    def is_all(self) -> bool:
        """Whether nothing is cut away."""
        return self == Box()


@dataclass(frozen=True, slots=True)
class SpaceLook:
    """Everything that the reader can choose of the 3-D view, and that is kept.

    Attributes:
        panes: One scene, or image, label and prediction beside each other.
        colouring: What the colours of the surfaces say.
        opacities: Of surfaces that the reader changed, 0 to 1.
        fog: Whether the image is drawn as a volume where there is but one pane; of three, the
            first always shows it.
        transfer: Name of the fog's transfer function.
        slice_shown: Whether the slice on the screen is drawn where it lies.
        long_axes: Whether the long-axis images of the study are drawn where they lie.
        net: Whether the reference lies over the labels as a net, in one pane.
        focus: Whether only what lies round the labels is drawn.
        cut: Whether all that lies between the slice on the screen and the reader is taken away.
        box: The part that is drawn, of the stack or of what lies round the labels.
    """

    panes: Panes = Panes.ONE
    colouring: Colouring = Colouring.STRUCTURE
    opacities: Mapping[Structure, float] = field(default_factory=lambda: MappingProxyType({}))
    fog: bool = False
    transfer: str = _TRANSFER
    slice_shown: bool = True
    long_axes: bool = False
    net: bool = False
    focus: bool = True
    cut: bool = False
    box: Box = Box()

    def opacity_of(self, structure: Structure) -> float:
        """Opacity of a surface, 0 to 1."""
        usual = _WALL_OPACITY if structure is Structure.MYOCARDIUM else 1.0
        return self.opacities.get(structure, usual)

    def to_json(self) -> dict[str, Any]:
        """Plain values to keep; without cut and box, which belong to one heart."""
        return {
            "panes": self.panes.value,
            "colouring": self.colouring.value,
            "opacities": {structure.name: share for structure, share in self.opacities.items()},
            "transfer": self.transfer,
            **{name: getattr(self, name) for name in _SWITCHES},
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "SpaceLook":
        """What `to_json` kept; whatever is no value of ours is left as it is usually."""
        look = cls()
        switches = {name: kept[name] for name in _SWITCHES if isinstance(kept.get(name), bool)}
        transfer = kept.get("transfer")
        return replace(
            look,
            panes=_member(Panes, kept.get("panes"), look.panes),
            colouring=_member(Colouring, kept.get("colouring"), look.colouring),
            opacities=MappingProxyType(_opacities(kept.get("opacities"))),
            transfer=transfer if isinstance(transfer, str) else look.transfer,
            **switches,
        )


_SWITCHES = ("fog", "slice_shown", "long_axes", "net", "focus")  # kept; a cut belongs to one heart


class SpaceState(QObject):
    """How the reader looks at the heart in space.

    Signals:
        changed: The look, the marked place or the sources of the panes are others.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._look = SpaceLook()
        self._picked_mm: PointMm | None = None
        self._picked_voxel: Voxel | None = None
        self._pointed_mm: PointMm | None = None
        self._sources: tuple[LabelSource | None, LabelSource | None] = (None, None)

    @property
    def look(self) -> SpaceLook:
        """What the reader chose."""
        return self._look

    @property
    def picked_mm(self) -> PointMm | None:
        """The point that was clicked in space; None for none."""
        return self._picked_mm

    @property
    def picked_voxel(self) -> Voxel | None:
        """Where it is marked in the slices; None for nowhere."""
        return self._picked_voxel

    @property
    def mark_mm(self) -> PointMm | None:
        """What is marked in space: where the mouse rests in the slice, else what was clicked."""
        return self._picked_mm if self._pointed_mm is None else self._pointed_mm

    @property
    def sources(self) -> tuple[LabelSource | None, LabelSource | None]:
        """Whose labels the panes *label* and *prediction* show; None as is usual."""
        return self._sources

    def take(self, look: SpaceLook) -> None:
        """Look so from now on."""
        if look != self._look:
            self._look = look
            self.changed.emit()

    def change(self, **parts: Any) -> None:
        """Change some attributes of the look."""
        self.take(replace(self._look, **parts))

    def set_opacity(self, structure: Structure, opacity: float) -> None:
        """Set the opacity of a surface, 0 to 1."""
        share = min(max(opacity, 0.0), 1.0)
        if share != self._look.opacity_of(structure):
            opacities = {**self._look.opacities, structure: share}
            self.change(opacities=MappingProxyType(opacities))

    def set_box_side(self, axis: str, side: int, share: float) -> None:
        """Move one side of the box; the other one gives way, so that something is left.

        Args:
            axis: x, y or z.
            side: 0 where it begins, 1 where it ends.
            share: 0 to 1.
        """
        low, high = getattr(self._look.box, axis)
        if side == 0:
            low = min(max(share, 0.0), 1.0 - _LEAST_SHARE)
            high = max(high, low + _LEAST_SHARE)
        else:
            high = max(min(share, 1.0), _LEAST_SHARE)
            low = min(low, high - _LEAST_SHARE)
        self.change(box=replace(self._look.box, **{axis: (low, high)}))

    def set_source(self, pane: int, source: LabelSource | None) -> None:
        """Say whose labels a pane shows: 0 for *label*, 1 for *prediction*."""
        sources = (source, self._sources[1]) if pane == 0 else (self._sources[0], source)
        if sources != self._sources:
            self._sources = sources
            self.changed.emit()

    def set_picked(self, point_mm: PointMm | None, voxel: Voxel | None = None) -> None:
        """Mark a point that was clicked in space, there and in a slice; or none."""
        if (point_mm, voxel) != (self._picked_mm, self._picked_voxel):
            self._picked_mm, self._picked_voxel = point_mm, voxel
            self.changed.emit()

    def set_pointed(self, point_mm: PointMm | None) -> None:
        """Mark where the mouse rests in the slice, or nothing."""
        if point_mm != self._pointed_mm:
            self._pointed_mm = point_mm
            self.changed.emit()

    def forget_places(self) -> None:
        """Another stack: what was marked, cut out and chosen for this heart is over."""
        usual = replace(self._look, cut=False, box=Box())
        before = (self._look, self._picked_mm, self._pointed_mm, self._sources)
        self._look, self._picked_mm, self._pointed_mm = usual, None, None
        self._picked_voxel = None
        self._sources = (None, None)
        if before != (usual, None, None, (None, None)):
            self.changed.emit()


_E = TypeVar("_E", bound=Enum)


def _member(kind: type[_E], value: object, usual: _E) -> _E:
    return next((member for member in kind if member.value == value), usual)


def _opacities(kept: object) -> dict[Structure, float]:
    found: dict[Structure, float] = {}
    for name, share in kept.items() if isinstance(kept, Mapping) else ():
        if name in Structure.__members__ and isinstance(share, int | float) and 0 <= share <= 1:
            found[Structure[name]] = float(share)
    return found
