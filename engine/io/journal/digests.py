"""Digests that tell whether images and labels are those a journal was written for."""

import hashlib
import zlib

import numpy as np
from numpy.typing import NDArray

from engine.cine import Cine

_SIZE = 16


def images_digest(cine: Cine) -> str:
    """Of the grey values and their grid, whatever the files are called and wherever they lie.

    Two reads of the same files give the same digest; a changed header that changes neither
    voxels nor grid changes nothing that an edit depends on. Of each phase there goes a CRC-32 into
    it: four times as quick as a cryptographic digest, for accidents are to be found, not forgers.
    """
    digest = hashlib.blake2b(digest_size=_SIZE)
    digest.update(repr((cine.shape, cine.voxels.dtype.str)).encode())
    affine = np.round(np.asarray(cine.geometry.affine, np.float64), 4) + 0.0  # no negative zeros
    digest.update(affine.tobytes())
    for phase in cine.voxels:
        plain = np.ascontiguousarray(phase).reshape(-1).view(np.uint8)
        digest.update(zlib.crc32(plain.data).to_bytes(4, "little"))
    return digest.hexdigest()


def labels_digest(voxels: NDArray[np.uint8]) -> str:
    """Of a label map, (t, z, y, x)."""
    digest = hashlib.blake2b(repr(voxels.shape).encode(), digest_size=_SIZE)
    for phase in voxels:
        digest.update(np.ascontiguousarray(phase, np.uint8).data)
    return digest.hexdigest()
