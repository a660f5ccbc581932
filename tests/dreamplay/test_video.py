"""Pictures and videos: sizes, pixels, and what comes back when a file is read."""

from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from dreamplay.errors import UserError
from dreamplay.video import difference, panes, write_video


def shots(count: int) -> list[np.ndarray]:
    return [panes([("truth", np.full((10, 10, 3), 25 * i, np.uint8))], scale=8) for i in range(count)]


def test_panes_enlarge_by_whole_pixels_and_have_even_sides() -> None:
    left = np.random.default_rng(0).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    right = left[..., :1]
    picture = panes([("a", left), ("b", right)], scale=9)
    assert picture.dtype == np.uint8 and picture.shape[0] % 2 == picture.shape[1] % 2 == 0
    large = left.repeat(9, 0).repeat(9, 1)
    gray = np.broadcast_to(right, left.shape).repeat(9, 0).repeat(9, 1)
    top = next(y for y in range(len(picture)) if (picture[y : y + 45, 8:71] == large).all())
    assert (picture[top : top + 45, 79:142] == gray).all()
    assert (picture[:top, 8:71] > 200).any(), "the label is above its pane"


def test_the_default_scale_makes_small_frames_large_and_leaves_large_ones() -> None:
    assert panes([("", np.zeros((10, 10, 3), np.uint8))]).shape[1] == 240 + 16
    assert panes([("", np.zeros((400, 300, 3), np.uint8))]).shape[1] == 300 + 16


def test_the_size_depends_on_no_text_but_the_labels() -> None:
    frame = np.zeros((4, 4, 3), np.uint8)
    shapes = {panes([("truth", frame)], scale=2, caption=text, title=text).shape for text in ("1", "a longer one" * 9)}
    assert len(shapes) == 1
    assert panes([("a long label", frame)], scale=2).shape[1] > 60, "a label wider than its pane is not cut"


def test_difference_marks_exactly_the_wrong_pixels() -> None:
    true = np.full((3, 3, 3), 100, np.uint8)
    dreamed = true.copy()
    dreamed[0, 1, 2] = 101
    dreamed[2, 2] = 0
    picture = difference(true, dreamed).astype(int)
    red = picture[..., 0] - picture[..., 1]
    assert np.argwhere(red > 50).tolist() == [[0, 1], [2, 2]]
    assert red[2, 2] > red[0, 1]
    assert (picture[1] == 30).all()


@pytest.mark.parametrize("suffix", ["mp4", "gif"])
def test_a_video_reads_back(tmp_path: Path, suffix: str) -> None:
    path = write_video(tmp_path / f"film.{suffix}", (shot for shot in shots(6)), fps=5)
    film = iio.imread(path, index=None) if suffix == "gif" else iio.imread(path)
    assert film.shape[:3] == (6, *shots(1)[0].shape[:2])
    y, x = film.shape[1] - 20, 40
    assert np.abs(film[:, y, x, 0].astype(int) - 25 * np.arange(6)).max() < 12
    assert [p.name for p in tmp_path.iterdir()] == [path.name], "no temporary file stays"


def test_a_gif_keeps_its_pace_and_loops(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.gif", shots(3), fps=10)
    metadata = iio.immeta(path)
    assert metadata["duration"] == 100 and metadata["loop"] == 0


def test_what_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"\.mp4 or \.gif"):
        write_video(tmp_path / "film.avi", shots(1), 10)
    with pytest.raises(UserError, match="without a picture"):
        write_video(tmp_path / "film.mp4", [], 10)
    with pytest.raises(OSError):
        write_video(tmp_path / "nowhere" / "film.mp4", shots(2), 10)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_halfway_leaves_the_earlier_film(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.gif", shots(3), fps=10)
    before = path.read_bytes()

    def broken():
        yield from shots(2)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError):
        write_video(path, broken(), fps=10)
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1
