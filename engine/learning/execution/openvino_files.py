"""A converted network on disk, so that it is converted once and not with every start."""

import hashlib
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from engine.learning.checkpoint import Model
from engine.learning.execution.openvino_conversion import convert_network
from engine.learning.execution.openvino_library import open_openvino
from engine.learning.execution.storage import (
    folder_of,
    origin_of,
    read_note,
    remove_oldest,
    write_note,
)
from engine.networks.network import Network

_log = logging.getLogger(__name__)
_NETWORK, _WEIGHTS, _NOTE = "network.xml", "network.bin", "origin.json"


def read_converted(model: Model) -> Any | None:
    """The converted network of a model, as kept; None where there is none that can be used."""
    folder = folder_of(model)
    note = read_note(folder / _NOTE)
    if note is None:
        return None
    try:
        if note != _note(folder, model):
            _log.info("%s was changed or belongs to something else", folder)
            return None
        os.utime(folder)  # used last
        return open_openvino().Core().read_model(folder / _NETWORK)
    except Exception as error:  # noqa: BLE001  (OpenVINO raises many kinds; any means: make anew)
        _log.info("%s cannot be used: %s", folder, error)
        return None


def build_converted(model: Model) -> Any:
    """Convert the network of a model and keep the result, if the disk lets it.

    What was kept before goes, and with it what was found out about it.

    Raises:
        Exception: OpenVINO cannot do what the network does; it raises many kinds.
    """
    assert isinstance(model.network, Network)
    network = model.network.to("cpu")
    converted = convert_network(network, in_channels=model.recipe.in_channels)
    try:
        _keep(converted, model)
    except (OSError, RuntimeError) as error:
        _log.info("the converted network is not kept: %s", error)
    return converted


def _keep(converted: Any, model: Model) -> None:
    """Write a folder beside the wanted one, then put it in its place."""
    wanted = folder_of(model)
    wanted.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=wanted.parent, prefix=".part-") as part:
        folder = Path(part) / wanted.name
        folder.mkdir()
        openvino = open_openvino()
        openvino.save_model(converted, folder / _NETWORK, compress_to_fp16=False)
        write_note(folder / _NOTE, _note(folder, model))
        shutil.rmtree(wanted, ignore_errors=True)
        folder.replace(wanted)
    remove_oldest()


def _note(folder: Path, model: Model) -> dict[str, Any]:
    """What a network was made from, and the SHA-256 of its files."""
    digests = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in (_NETWORK, _WEIGHTS)
    }
    return {"made_from": origin_of(model), "sha256": digests}
