"""How far a dream is believed: by what it leaves open after real moments, and never less than a tenth of a pixel."""

import numpy as np
from corridor import END, Corridor, corridor_starts

from dreamplay.agents.doubt import BELIEVED, LEAST, USUAL, most_open


class Graded(Corridor):
    """Leaves as many pixels open as a power of the place that a step leads to."""

    def __init__(self, power):
        super().__init__()
        self.power = power

    def step(self, state, actions, **settings):
        after, step = super().step(state, actions, **settings)
        place = after["frame"][:, 0, 0, 0].numpy().astype(np.float32)
        return after, step._replace(open_pixels=place**self.power)


def test_nine_of_ten_real_moments_are_believed():
    simulator = Graded(power=3)
    limit = most_open(simulator, corridor_starts(simulator), seed=0)
    # From places 0 to 8, a third of the steps each to the left, nowhere, to the right: 24 of 27 lead to 7 at most.
    reached = np.clip(np.arange(END)[:, None] + [-1, 0, 1], 0, END)
    assert limit == 8**3 == np.quantile(reached**3, BELIEVED, method="inverted_cdf")


def test_where_all_is_a_little_open_only_what_stands_out_is_in_doubt():
    simulator = Graded(power=0)
    assert most_open(simulator, corridor_starts(simulator), seed=0) == USUAL


def test_what_is_as_good_as_sure_is_believed():
    assert most_open(Corridor(), corridor_starts(Corridor()), seed=0) == LEAST


def test_the_seed_decides():
    simulator = Graded(power=3)
    one, same = (most_open(simulator, corridor_starts(simulator), seed=3) for _ in range(2))
    assert one == same
