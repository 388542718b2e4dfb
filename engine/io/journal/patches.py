"""Label patches as few bytes: runs of neighbouring voxels that change alike.

The bytes of a patch are, little-endian: the number of runs n (4 bytes); for each run its distance
from the end of the one before (4 bytes) and its length (4 bytes), both split into planes of equal
significance, which compress well; then one byte a run, `before` times 16 plus `after`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from engine.labelmap import LabelPatch

_CODE = 16
"""Structure numbers are smaller."""


def encode_patch(patch: LabelPatch) -> bytes:
    """A patch as bytes that are not yet compressed.

    Args:
        patch: Structure numbers below 16; indices in any order, each once.
    """
    order = np.argsort(patch.indices, kind="stable")
    places = patch.indices[order].astype(np.int64)
    codes = (patch.before[order] * np.uint8(_CODE) + patch.after[order]).astype(np.uint8)
    assert not len(patch) or max(patch.before.max(), patch.after.max()) < _CODE
    breaks = np.flatnonzero((np.diff(places) != 1) | (np.diff(codes) != 0)) + 1
    first = np.concatenate([[0], breaks]) if places.size else np.empty(0, np.intp)
    lengths = np.diff(np.concatenate([first, [places.size]])) if places.size else first
    starts = places[first]
    ends = starts + lengths
    gaps = starts - np.concatenate([[0], ends[:-1]]) if places.size else starts
    assert not places.size or max(gaps.max(), lengths.max()) < 1 << 32
    count = np.array([first.size], "<u4").tobytes()
    kinds: bytes = codes[first].tobytes()
    return count + _planes(gaps) + _planes(lengths) + kinds


def decode_patch(content: bytes, size: int) -> LabelPatch:
    """The patch that `encode_patch` was given, its indices rising.

    Args:
        content: Its bytes.
        size: Number of voxels of the label map.

    Raises:
        ValueError: The bytes are no patch, or one of a larger map.
    """
    count = int.from_bytes(content[:4], "little")
    if len(content) != 4 + 9 * count:
        raise ValueError("the bytes of a patch are incomplete")
    gaps = _numbers(content[4 : 4 + 4 * count])
    lengths = _numbers(content[4 + 4 * count : 4 + 8 * count])
    codes = np.frombuffer(content, np.uint8, count, 4 + 8 * count)
    ends = np.cumsum(gaps + lengths)
    if count and int(ends[-1]) > size:
        raise ValueError("a patch reaches beyond the label map")
    total = int(lengths.sum())
    # Within a run the places rise by one: the place in the list plus what the gaps have added.
    indices = np.arange(total, dtype=np.intp) + np.repeat(np.cumsum(gaps), lengths)
    each = np.repeat(codes, lengths)
    return LabelPatch(indices, each // np.uint8(_CODE), each % np.uint8(_CODE))


def join_patches(patches: Sequence[LabelPatch]) -> LabelPatch:
    """One patch that does what these do one after the other; its indices rise.

    Voxels that end as they began are left out.
    """
    if not patches:
        return LabelPatch(np.empty(0, np.intp), np.empty(0, np.uint8), np.empty(0, np.uint8))
    indices = np.concatenate([patch.indices for patch in patches])
    before = np.concatenate([patch.before for patch in patches])
    after = np.concatenate([patch.after for patch in patches])
    if (np.diff(indices) > 0).all():  # as the phases of a prediction are
        changed = before != after
        return LabelPatch(indices[changed], before[changed], after[changed])
    order = np.argsort(indices, kind="stable")  # equal places stay in the order of time
    indices, before, after = indices[order], before[order], after[order]
    new = np.ones(indices.size, bool)
    new[1:] = indices[1:] != indices[:-1]
    first = np.flatnonzero(new)
    last = np.append(first[1:], indices.size) - 1 if indices.size else first
    changed = before[first] != after[last]
    first, last = first[changed], last[changed]
    return LabelPatch(indices[first], before[first], after[last])


def _planes(numbers: NDArray[np.int64]) -> bytes:
    """32-bit numbers with all their lowest bytes first, then the next higher ones, ..."""
    split: NDArray[np.uint8] = numbers.astype("<u4").view(np.uint8).reshape(-1, 4)
    content: bytes = split.T.tobytes()
    return content


def _numbers(planes: bytes) -> NDArray[np.int64]:
    split = np.frombuffer(planes, np.uint8).reshape(4, -1)
    return np.ascontiguousarray(split.T).view("<u4").reshape(-1).astype(np.int64)
