"""What a training would be, as it can be known before the start."""

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from engine.learning.pictures import SamplePictures


@dataclass(frozen=True, slots=True)
class DeviceFact:
    """A device, and whether a network can be trained on it.

    Attributes:
        key: cpu or cuda.
        title: As its maker calls it.
        usable: Whether the self-test went well.
        said: What was found out, or why it cannot be used, in words.
    """

    key: str
    title: str
    usable: bool
    said: str


@dataclass(frozen=True, slots=True)
class PartFact:
    """A part of the patients.

    Attributes:
        name: What it is for: trained on, validated, held out.
        patients: How many.
        samples: Slices or volumes.
    """

    name: str
    patients: int
    samples: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a training will take.

    Attributes:
        device: Where it was tried.
        epoch_seconds: An epoch with its validation [s].
        epochs: At most.
        peak_mb: Memory at its fullest: of the GPU, or of the process [MiB].
        free_mb: Memory that is free, or that the GPU has [MiB]; None where not known.
        parameters: Of the network.
    """

    device: str
    epoch_seconds: float
    epochs: int
    peak_mb: float | None
    free_mb: float | None
    parameters: int


@dataclass(frozen=True, slots=True)
class OptionFact:
    """An option of a network; as `engine.networks.options.NetworkOption`, but plain data."""

    name: str
    type: str
    default: Any
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a training would fail, and what to do."""

    what: str
    hint: str


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """All of it; what could not be found out is missing.

    Attributes:
        devices: What there is to train on.
        networks: The options of each network by its name.
        losses: What a loss can be summed of.
        parts: The patients by what they are for.
        shares: Share of each class of the certain training pixels, 0 to 1, the background first.
        absent: Classes that no training image has.
        notes: What was left out, and other warnings.
        pictures: Samples, each as it is and then changed as for training.
        variants: How many pictures each sample has.
        estimate: None where it was not tried.
        fault: Why it would fail; None where it would not.
    """

    devices: tuple[DeviceFact, ...] = ()
    networks: Mapping[str, tuple[OptionFact, ...]] = field(default_factory=dict)
    losses: tuple[str, ...] = ()
    parts: tuple[PartFact, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    pictures: SamplePictures | None = None
    variants: int = 1
    estimate: Estimate | None = None
    fault: Fault | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain data; see `read_outlook`."""
        packed = None
        if self.pictures is not None:
            packed = base64.b64encode(self.pictures.to_bytes()).decode("ascii")
        return {
            "devices": [asdict(device) for device in self.devices],
            "networks": {n: [asdict(each) for each in own] for n, own in self.networks.items()},
            "losses": list(self.losses),
            "parts": [asdict(part) for part in self.parts],
            "shares": dict(self.shares),
            "absent": list(self.absent),
            "notes": list(self.notes),
            "pictures": packed,
            "variants": self.variants,
            "estimate": None if self.estimate is None else asdict(self.estimate),
            "fault": None if self.fault is None else asdict(self.fault),
        }


def read_outlook(content: Mapping[str, Any]) -> Outlook:
    """What `Outlook.as_json` gave."""
    packed, estimate, fault = content["pictures"], content["estimate"], content["fault"]
    return Outlook(
        devices=tuple(DeviceFact(**each) for each in content["devices"]),
        networks={
            name: tuple(
                OptionFact(each["name"], each["type"], each["default"], tuple(each["choices"]))
                for each in own
            )
            for name, own in content["networks"].items()
        },
        losses=tuple(content["losses"]),
        parts=tuple(PartFact(**each) for each in content["parts"]),
        shares=content["shares"],
        absent=tuple(content["absent"]),
        notes=tuple(content["notes"]),
        pictures=None if packed is None else SamplePictures.from_bytes(base64.b64decode(packed)),
        variants=content["variants"],
        estimate=None if estimate is None else Estimate(**estimate),
        fault=None if fault is None else Fault(**fault),
    )
