"""Every phase as it would be shown now, for films and files."""

from collections.abc import Mapping
from types import MappingProxyType

from engine.progress import Steps
from heartseg_gui.views.volume.scene_values import SceneContent
from heartseg_gui.views.volume.space_basis import BasisMaker, SpaceBasis
from heartseg_gui.views.volume.space_content import SpaceFacts
from heartseg_gui.views.volume.surface_store import Made, Place, SurfaceStore, Task


class ContentMaker:
    """Holds copies of all that it takes; made on the window's thread, used on the drawing one."""

    def __init__(
        self,
        bases: Mapping[int, SpaceBasis],
        made: Mapping[Place, Made],
        tasks: Mapping[Place, Task],
    ) -> None:
        self._bases, self._made, self._tasks = bases, dict(made), tasks

    @classmethod
    def of(cls, basis_maker: BasisMaker, store: SurfaceStore, phase_count: int) -> "ContentMaker":
        """Freeze what the states and labels say now, for so many phases."""
        bases: dict[int, SpaceBasis] = {}
        made: dict[Place, Made] = {}
        tasks: dict[Place, Task] = {}
        for phase in range(phase_count):
            basis = basis_maker.make(phase)
            if basis is None:
                continue
            bases[phase] = basis
            for place in basis.places():
                kept = store.at(*place)
                task = None if kept is not None or place in tasks else store.task_of(*place)
                if kept is not None:
                    made[place] = kept
                elif task is not None:
                    tasks[place] = task
        return cls(MappingProxyType(bases), made, MappingProxyType(tasks))

    @property
    def phases(self) -> tuple[int, ...]:
        """The phases that there are (0-based)."""
        return tuple(self._bases)

    def make(self, phase: int) -> Steps[SceneContent]:
        """What the scene shows at a phase (0-based); makes the surfaces that are missing."""
        basis = self._bases[phase]
        for place in basis.places():
            if place not in self._made and place in self._tasks:
                self._made[place] = yield from self._tasks[place].make()
        return SpaceFacts(basis, basis.panes(self._made.get)).content()
