"""Films and pictures, read again by other programs: FFmpeg, Pillow."""

import io
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.drawing import film
from engine.drawing.film import find_film_maker, gif_bytes, write_film, write_picture
from engine.errors import CannotSaveError
from engine.progress import run_to_end

RED, YELLOW = (229, 56, 59), (255, 212, 0)
FAR = 14  # between a colour and what a film makes of it


def frames(count: int, *, size: tuple[int, int] = (96, 120)) -> Iterator[np.ndarray]:
    """A yellow square that moves over red."""
    for number in range(count):
        frame = np.full((*size, 3), RED, np.uint8)
        frame[20:60, 4 * number : 4 * number + 30] = YELLOW
        yield frame


def read_mp4(path: Path) -> tuple[str, list[np.ndarray]]:
    """What FFmpeg says about a film, and its frames."""
    maker = find_film_maker()
    assert maker is not None
    told = subprocess.run([maker, "-hide_banner", "-i", path], capture_output=True, check=False)
    facts = next(line for line in told.stderr.decode().splitlines() if "Video:" in line)
    found = re.search(r", (\d+)x(\d+)", facts)
    assert found is not None
    width, height = int(found[1]), int(found[2])
    raw = subprocess.run(
        [maker, "-loglevel", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "rgb24", "-"],
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    return facts, list(np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3))


def test_a_film_is_h264_with_the_frames_the_time_and_the_colours(tmp_path: Path) -> None:
    path = tmp_path / "new" / "beat.mp4"

    run_to_end(write_film(frames(12), path, frames_per_s=12.0, count=12))

    facts, read = read_mp4(path)
    assert "h264" in facts
    assert "yuv420p" in facts
    assert "12 fps" in facts
    assert len(read) == 12
    for number, frame in enumerate(frames(12)):
        apart = np.abs(read[number].astype(int) - frame)
        assert np.median(apart) < FAR
        assert apart[40, 4 * number + 15].max() < FAR  # in the middle of the square
    assert [one.name for one in path.parent.iterdir()] == ["beat.mp4"]


def test_an_odd_size_loses_its_last_row_and_column(tmp_path: Path) -> None:
    path = tmp_path / "odd.mp4"
    run_to_end(write_film(frames(3, size=(97, 121)), path, frames_per_s=10.0))
    assert read_mp4(path)[1][0].shape == (96, 120, 3)


def test_a_gif_keeps_the_pace_over_all_frames(tmp_path: Path) -> None:
    """30 frames a second are 33.3 ms each; a GIF counts in 10 ms, and must not drift."""
    path = tmp_path / "beat.gif"

    run_to_end(write_film(frames(15), path, frames_per_s=30.0))

    with Image.open(path) as movie:
        assert movie.n_frames == 15
        assert movie.info["loop"] == 0  # for ever
        shown_ms = []
        for number, frame in enumerate(frames(15)):
            movie.seek(number)
            shown_ms.append(movie.info["duration"])
            apart = np.abs(np.asarray(movie.convert("RGB")).astype(int) - frame)
            assert apart.max() <= FAR
    assert set(shown_ms) == {30, 40}
    assert sum(shown_ms) == pytest.approx(500, abs=10)


def test_one_palette_serves_all_frames() -> None:
    """Or the greys of a fog would flicker: a pixel that does not change must not."""
    random = np.random.default_rng(0)
    fog = random.integers(40, 90, (64, 64, 1)).repeat(3, axis=2).astype(np.uint8)
    moving = []
    for number in range(20):
        frame = fog.copy()
        frame[:8, : 3 * number + 1] = (255 - 10 * number, 10 * number, 120)
        moving.append(frame)

    content = gif_bytes(moving, frame_ms=40)

    with Image.open(io.BytesIO(content)) as movie:
        seen = []
        for number in range(movie.n_frames):
            movie.seek(number)
            seen.append(np.asarray(movie.convert("RGB"))[8:])
    assert all(np.array_equal(one, seen[0]) for one in seen)


@pytest.mark.parametrize("ending", ["mp4", "gif"])
def test_a_film_that_is_stopped_leaves_what_was_there(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"beat.{ending}"
    path.write_bytes(b"an earlier film")

    steps = write_film(frames(30), path, frames_per_s=10.0, count=30)
    told = [next(steps) for _ in range(5)]
    steps.close()

    assert [one.done for one in told] == [1, 2, 3, 4, 5]
    assert path.read_bytes() == b"an earlier film"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("ending", ["mp4", "gif"])
def test_a_fault_while_drawing_is_told_as_itself(tmp_path: Path, ending: str) -> None:
    def broken() -> Iterator[np.ndarray]:
        yield from frames(2)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_to_end(write_film(broken(), tmp_path / f"beat.{ending}", frames_per_s=10.0))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["film.mp4", "film.gif"])
def test_a_film_without_frames_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CannotSaveError, match="no frames"):
        run_to_end(write_film(iter(()), tmp_path / name, frames_per_s=10.0))
    assert list(tmp_path.iterdir()) == []


def test_other_endings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CannotSaveError) as refused:
        run_to_end(write_film(frames(1), tmp_path / "film.avi", frames_per_s=10.0))
    assert ".mp4 or .gif" in refused.value.hint
    with pytest.raises(CannotSaveError):
        write_picture(next(frames(1)), tmp_path / "picture.jpg", width_mm=80)


def test_without_ffmpeg_a_gif_is_proposed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film, "find_film_maker", lambda: None)
    with pytest.raises(CannotSaveError, match="no FFmpeg was found") as refused:
        run_to_end(write_film(frames(1), tmp_path / "film.mp4", frames_per_s=10.0))
    assert ".gif" in refused.value.hint


@pytest.mark.parametrize("known", ["libx264", "mpeg2"])
def test_a_film_maker_that_fails_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: str
) -> None:
    broken = tmp_path / "ffmpeg"
    broken.write_text(
        f'#!/bin/sh\ncase "$*" in *-encoders*) echo {known}; exit 0;; esac\n'
        "echo out of paper >&2; exit 3"
    )
    broken.chmod(0o755)
    monkeypatch.setattr(film, "find_film_maker", lambda: str(broken))

    with pytest.raises(CannotSaveError, match=r"film\.mp4 could not be written") as told:
        run_to_end(write_film(frames(40, size=(480, 640)), tmp_path / "film.mp4", frames_per_s=10))
    assert ("out of paper" if known == "libx264" else "knows no H.264") in told.value.what
    assert [one.name for one in tmp_path.iterdir()] == ["ffmpeg"]


def test_a_picture_states_how_large_it_is_printed(tmp_path: Path) -> None:
    pixels = next(frames(1, size=(300, 600)))

    write_picture(pixels, tmp_path / "heart.png", width_mm=50.8)

    with Image.open(tmp_path / "heart.png") as picture:
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        np.testing.assert_array_equal(np.asarray(picture), pixels)
