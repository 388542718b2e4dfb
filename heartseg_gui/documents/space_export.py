"""What can be taken out of the 3-D view, and how: plain values that dialogs make and jobs use."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from engine.mesh.formats import MeshFormat

if TYPE_CHECKING:
    from heartseg_gui.jobs import Job

_MM_PER_INCH = 25.4
_FONT_PT = 9.0  # of what is written on a printed picture
_FONT_PX = 12.0  # of the same on the screen
_WRITTEN_AT_PX = 520  # height of a film on which letters are as large as on the screen


class Motion(Enum):
    """What moves in a film."""

    TURN = "turn"
    BEAT = "beat"
    BOTH = "both"


class Ground(Enum):
    """What lies behind the heart."""

    DARK = "dark"
    WHITE = "white"


@dataclass(frozen=True, slots=True)
class SurfaceChoice:
    """Which files are written of the surfaces.

    Attributes:
        formats: At least one.
        every_phase: All labelled phases, or the one on the screen.
    """

    formats: tuple[MeshFormat, ...]
    every_phase: bool = False


@dataclass(frozen=True, slots=True)
class PrintChoice:
    """What the printer needs, see `engine.mesh.printing.PrintPreset`."""

    wall_mm: float
    plate_mm: float


@dataclass(frozen=True, slots=True)
class FilmChoice:
    """A film of the 3-D view, as it is looked at now.

    Attributes:
        motion: What moves.
        seconds: How long it lasts; a beat is shown a whole number of times.
        size: Width and height [pixels].
        ending: `.mp4` or `.gif`.
        written: Whether titles, scale bars and directions are written on it.
        ground: What lies behind the heart.
        frames_per_s: How many pictures a second.
    """

    motion: Motion
    seconds: float
    size: tuple[int, int]
    ending: str = ".mp4"
    written: bool = True
    ground: Ground = Ground.DARK
    frames_per_s: float = 25.0

    @property
    def letter_ratio(self) -> float:
        """Pixels of the film for a pixel of letters on the screen."""
        return max(1.0, self.size[1] / _WRITTEN_AT_PX)


@dataclass(frozen=True, slots=True)
class PictureChoice:
    """A picture of the 3-D view for print.

    Attributes:
        width_mm: Of the print.
        dpi: Pixels an inch.
        written: Whether titles, scale bars and directions are written on it.
        ground: What lies behind the heart.
    """

    width_mm: float
    dpi: float
    written: bool = True
    ground: Ground = Ground.WHITE

    @property
    def width_px(self) -> int:
        """Width of the picture."""
        return round(self.width_mm / _MM_PER_INCH * self.dpi)

    @property
    def letter_ratio(self) -> float:
        """Pixels of the picture for a pixel of letters on the screen: they are printed in 9 pt."""
        return max(1.0, _FONT_PT / 72 * self.dpi / _FONT_PX)


@dataclass(frozen=True, slots=True)
class FilmFrame:
    """A picture of a film: which phase (0-based), and how far the scene has turned [degrees]."""

    phase: int
    turned: float


class Stage(Protocol):
    """Where films and pictures are taken."""

    def film(self, choice: FilmChoice, frames: Sequence[FilmFrame], path: Path) -> "Job":
        """Write the frames as a film."""

    def picture(self, choice: PictureChoice, path: Path) -> "Job":
        """Write what is seen now as a picture."""


def plan_film(
    choice: FilmChoice, phases: Sequence[int], starts_s: Sequence[float], now: int
) -> list[FilmFrame]:
    """What each frame of a film shows.

    A turn goes all the way round once. A beat is repeated as often as fits best, and ends where
    it began, so that a film that is played in a loop does not jump.

    Args:
        choice: What is wished for.
        phases: Of the beat (0-based).
        starts_s: When each begins, and when the beat ends [s]; one more than phases.
        now: The phase on the screen, which is shown where nothing beats.
    """
    beats, seconds = 0, choice.seconds
    if choice.motion is not Motion.TURN and len(phases) > 1:
        beats = max(1, round(choice.seconds / starts_s[-1]))
        seconds = beats * starts_s[-1]
    count = max(2, round(seconds * choice.frames_per_s))
    turn = 0.0 if choice.motion is Motion.BEAT else 360.0
    frames = []
    for number in range(count):
        share = number / count
        at_s = (share * beats % 1) * starts_s[-1]
        shown = max((n for n in range(len(phases)) if starts_s[n] <= at_s), default=0)
        frames.append(FilmFrame(phases[shown] if beats else now, share * turn))
    return frames
