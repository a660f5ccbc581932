"""The reader finds the angle that the environment's state says, and nothing where there is nothing."""

import numpy as np
import pytest

import dreamplay
from dreamplay.envs.real import card_of
from dreamplay.envs.subsample import pick
from scripts.read_pole_angle import HEIGHT, WIDTH, Reader, Recorded, record


@pytest.fixture(scope="module", params=[None, (80, 150)])
def recorded(request: pytest.FixtureRequest) -> tuple[Reader, list[Recorded]]:
    env = dreamplay.make_env("CartPole-v1", size=request.param)
    preparation = card_of(env).preparation
    kept = pick((HEIGHT, WIDTH), preparation.stride, preparation.size)
    return Reader(kept), record(env, episodes=5, least=15, seed=3)


def test_it_reads_the_state_to_a_fraction_of_a_degree(recorded: tuple[Reader, list[Recorded]]) -> None:
    reader, episodes = recorded
    frames = np.concatenate([episode.frames for episode in episodes])
    angles = np.concatenate([episode.angles for episode in episodes])
    assert np.abs(angles).max() > 10, "also leaning poles"
    errors = np.array([reader.angle(frame) for frame in frames], float) - angles
    assert np.abs(errors).mean() < 0.5 and np.abs(errors).max() < 2.5
    assert abs(errors.mean()) < 0.2, "to no side"


def test_a_frame_without_a_pole_or_a_cart_has_no_angle(recorded: tuple[Reader, list[Recorded]]) -> None:
    reader, episodes = recorded
    frame = episodes[0].frames[0]
    assert reader.angle(np.full_like(frame, 255)) is None
    pole = (frame.max(-1) >= 64) & (frame.min(-1) < 180)  # and the axle on it
    assert reader.angle(np.where(pole[..., None], 255, frame).astype(np.uint8)) is None
    cart = frame.max(-1) < 64  # its edges too
    assert reader.angle(np.where(cart[..., None], 255, frame).astype(np.uint8)) is None


def test_a_dreams_slightly_wrong_colours_do_not_matter(recorded: tuple[Reader, list[Recorded]]) -> None:
    reader, episodes = recorded
    frame = episodes[0].frames[5]
    noise = np.random.default_rng(0).integers(-20, 21, frame.shape)
    assert reader.angle((frame + noise).clip(0, 255).astype(np.uint8)) == pytest.approx(reader.angle(frame), abs=0.5)
