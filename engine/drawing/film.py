"""Pictures as files that others show: MP4 and GIF films, and PNG with its resolution.

MP4 is written by FFmpeg, a program of its own that the package `imageio-ffmpeg` brings along or
finds on the computer; nothing of it becomes part of this program.
"""

import subprocess
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from engine.errors import CannotSaveError
from engine.io.atomic_file import make_folder, part_beside, write_atomically
from engine.progress import Progress, Steps

FILM_ENDINGS = (".mp4", ".gif")

Frame = NDArray[np.uint8]
"""(y, x, 3)."""

_PALETTE_FRAMES = 12  # that a GIF's colours are taken from
_SHORTEST_GIF_MS = 20  # browsers show shorter frames for longer
_BEST_ENCODER = "libx264"
_OTHER_ENCODERS = ("libopenh264", "h264_videotoolbox", "h264_mf", "h264_nvenc")
_BITS_PER_PIXEL = 0.25  # for encoders that cannot be asked for a quality
_MM_PER_INCH = 25.4
_MP4_OPTIONS = (
    "-f", "mp4", "-movflags", "+faststart", "-pix_fmt", "yuv420p",
    # said and meant: else players guess the matrix by the size, and colours shift
    "-vf", "scale=out_color_matrix=bt709:out_range=tv",
    "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709",
)  # fmt: skip


def write_film(
    frames: Iterable[Frame], path: Path, *, frames_per_s: float, count: int = 0
) -> Steps[None]:
    """Write frames as a film; the ending of the name chooses MP4 (H.264, 4:2:0) or GIF.

    H.264 wants even sizes: of an odd one the last row or column is left out.

    Args:
        frames: Made one after the other while the film is written; all of one size.
        path: Ends with .mp4 or .gif; its folder is made if missing.
        frames_per_s: How many are shown in a second; a GIF counts hundredths of a second.
        count: How many there are, for the progress; 0 if unknown.

    Raises:
        CannotSaveError: The name ends otherwise, there are no frames, no FFmpeg is found, or the
            file cannot be written; what was at `path` before is untouched.
    """
    kind = path.suffix.lower()
    if kind not in FILM_ENDINGS:
        raise CannotSaveError(
            f"A film cannot be written as {path.name}.",
            hint=f"Let the name end with {' or '.join(FILM_ENDINGS)}.",
        )
    make_folder(path.parent)
    if kind == ".mp4":
        yield from _write_mp4(frames, path, frames_per_s, count)
        return
    packed: list[_Packed] = []
    for frame in frames:
        packed.append(_pack(frame))
        yield Progress(len(packed), count and count + 1, "Drawing the film")
    _refuse_empty(len(packed), path)
    ends_ms = np.arange(len(packed) + 1) * (1000 / frames_per_s)
    shown_ms = np.diff((ends_ms / 10).round() * 10).astype(int).tolist()
    write_atomically(path, _gif_bytes(packed, shown_ms))


def gif_bytes(frames: Sequence[Frame], *, frame_ms: int) -> bytes:
    """Frames of one size as an endless GIF.

    One palette serves all frames, or greys would flicker; it is taken from many of them, or
    colours would lack.

    Args:
        frames: At least one.
        frame_ms: How long each is shown.
    """
    return _gif_bytes([_pack(frame) for frame in frames], [frame_ms] * len(frames))


def write_picture(pixels: Frame, path: Path, *, width_mm: float) -> None:
    """Write a picture as PNG that is printed so wide.

    Args:
        pixels: (y, x, 3).
        path: Ends with .png; its folder is made if missing.
        width_mm: Of the print; with the pixels it makes the resolution the file states.

    Raises:
        CannotSaveError: The name ends otherwise, or the file cannot be written.
    """
    if path.suffix.lower() != ".png":
        raise CannotSaveError(
            f"A picture cannot be written as {path.name}.", hint="Let the name end with .png."
        )
    dpi = pixels.shape[1] / (width_mm / _MM_PER_INCH)
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, format="PNG", dpi=(dpi, dpi))
    write_atomically(path, stream.getvalue())


def find_film_maker() -> str | None:
    """The path of the FFmpeg that MP4 films are written with; None where there is none."""
    try:
        import imageio_ffmpeg

        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except (ImportError, RuntimeError):
        return None


@dataclass(frozen=True, slots=True)
class _Packed:
    """A frame that takes a tenth of its memory."""

    shape: tuple[int, ...]
    content: bytes

    def unpack(self) -> Image.Image:
        flat = np.frombuffer(zlib.decompress(self.content), np.uint8)
        return Image.fromarray(flat.reshape(self.shape))


def _pack(frame: Frame) -> _Packed:
    return _Packed(frame.shape, zlib.compress(np.ascontiguousarray(frame).tobytes(), level=1))


def _gif_bytes(frames: Sequence[_Packed], shown_ms: Sequence[int]) -> bytes:
    chosen = np.linspace(0, len(frames) - 1, min(len(frames), _PALETTE_FRAMES)).round().astype(int)
    samples = [frames[number].unpack() for number in chosen]
    sheet = Image.new("RGB", (samples[0].width, samples[0].height * len(samples)))
    for number, sample in enumerate(samples):
        sheet.paste(sample, (0, number * sample.height))
    palette = sheet.quantize(256, method=Image.Quantize.MEDIANCUT)
    drawn = (one.unpack().quantize(palette=palette, dither=Image.Dither.NONE) for one in frames)
    stream = BytesIO()
    next(drawn).save(
        stream,
        format="GIF",
        save_all=True,
        append_images=drawn,
        duration=[max(_SHORTEST_GIF_MS, ms) for ms in shown_ms],
        loop=0,
    )
    return stream.getvalue()


def _write_mp4(frames: Iterable[Frame], path: Path, frames_per_s: float, count: int) -> Steps[None]:
    maker = find_film_maker()
    if maker is None:
        raise CannotSaveError(
            f"{path.name} could not be written: no FFmpeg was found, which writes MP4 films.",
            hint="Install it (`pip install imageio-ffmpeg`), or write a film that ends with .gif.",
        )
    try:
        with part_beside(path) as part:
            number = 0
            for number in _feed(frames, part, maker, frames_per_s):
                yield Progress(number, count, "Drawing the film")
            _refuse_empty(number, path)
    except OSError as error:
        raise CannotSaveError(
            f"{path.name} could not be written: {error.strerror or error}.",
            hint=f"Check that {path.parent} can be written to and the disk has room; a film that "
            "ends with .gif needs no FFmpeg.",
        ) from error


def _feed(frames: Iterable[Frame], part: Path, maker: str, frames_per_s: float) -> Iterator[int]:
    """Hand the frames to FFmpeg, and tell after each how many it has."""
    with ExitStack() as at_end:
        pipe: IO[bytes] | None = None
        for number, frame in enumerate(frames, start=1):
            height, width = (length // 2 * 2 for length in frame.shape[:2])
            if pipe is None:
                command = _command(maker, part, (width, height), frames_per_s)
                pipe = at_end.enter_context(_running(command))
            pipe.write(np.ascontiguousarray(frame[:height, :width]).tobytes())
            yield number


@contextmanager
def _running(command: Sequence[str]) -> Iterator[IO[bytes]]:
    """FFmpeg at work, as the pipe that takes frames; it ends when the block ends.

    Raises:
        OSError: It cannot be started, or stops with an error; with what it said.
    """
    quiet = getattr(subprocess, "CREATE_NO_WINDOW", 0)  # Windows would open a console
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said,
            creationflags=quiet,
        )  # fmt: skip
        assert process.stdin is not None
        ended_well = False
        try:
            with suppress(BrokenPipeError):  # then it has stopped, and said why
                yield process.stdin
            ended_well = True
        finally:
            with suppress(OSError):
                process.stdin.close()
            if not ended_well:
                process.kill()
            code = process.wait()
        if code != 0:
            said.seek(0)
            lines = said.read().decode(errors="replace").strip().splitlines()
            raise OSError(f"FFmpeg stopped: {lines[-1] if lines else code}")


def _command(maker: str, part: Path, size: tuple[int, int], frames_per_s: float) -> list[str]:
    """FFmpeg's command line for a film of so many pixels (width, height)."""
    width, height = size
    encoder = _encoder_of(maker)
    if encoder == _BEST_ENCODER:
        quality = ["-crf", "18"]
    else:
        quality = ["-b:v", str(round(width * height * frames_per_s * _BITS_PER_PIXEL))]
    return [
        maker, "-hide_banner", "-loglevel", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24",
        "-s", f"{width}x{height}", "-r", f"{frames_per_s:.6f}", "-i", "-", "-an",
        "-c:v", encoder, *quality, *_MP4_OPTIONS, str(part),
    ]  # fmt: skip


@lru_cache(maxsize=4)
def _encoder_of(maker: str) -> str:
    """The best H.264 encoder that an FFmpeg has.

    Raises:
        OSError: It has none, or does not run.
    """
    asked = subprocess.run(
        [maker, "-hide_banner", "-encoders"], capture_output=True, check=False, timeout=60
    )
    known = asked.stdout.decode(errors="replace").split()
    for encoder in (_BEST_ENCODER, *_OTHER_ENCODERS):
        if encoder in known:
            return encoder
    raise OSError(f"{maker} knows no H.264")


def _refuse_empty(count: int, path: Path) -> None:
    if count == 0:
        raise CannotSaveError(
            f"{path.name} could not be written: the film has no frames.",
            hint="Open a study whose heart has labels.",
        )
