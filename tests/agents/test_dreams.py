"""Dreams under way: what is recorded of each step, and where dreams begin anew."""

import numpy as np
import pytest
import torch
from corridor import END, Corridor, corridor_starts, sense

from dreamplay.agents.action_heads import head_for
from dreamplay.agents.dreams import Dreams
from dreamplay.agents.policy import Policy


class Always(Policy):
    """Always takes one action, and finds a place worth its number."""

    def __init__(self, action: int) -> None:
        super().__init__(END + 1, 3, 4)
        self.action = action

    def forward(self, features):
        outputs = torch.full((len(features), 3), -1e3)
        outputs[:, self.action] = 0
        return outputs, features.argmax(-1).float()


def dreams(count=6, longest=50, seed=0, start=None, known=END, **more):
    simulator = Corridor(known=known)
    starts = corridor_starts(simulator)
    if start is not None:
        starts = {name: value[start : start + 1] for name, value in starts.items()}
    return Dreams(simulator, sense, head_for(simulator.card.action_space), starts, count, longest, seed, **more)


def places(experience):
    return experience.features.argmax(-1)


def test_a_step_is_recorded_with_what_it_leads_to():
    lived = dreams(start=5).live(Always(2), 3)  # to the right
    assert places(lived).tolist() == [[5, 6, 7]] * 6
    assert lived.values.tolist() == [[5.0, 6.0, 7.0]] * 6
    assert lived.next_values.tolist() == [[6.0, 7.0, 8.0]] * 6
    assert lived.draws.tolist() == [[[2], [2], [2]]] * 6
    assert not lived.rewards.any() and bool((lived.lives == 1).all()) and bool(lived.goes_on.all())
    assert lived.log_probs.tolist() == [[0.0] * 3] * 6


def test_a_dream_that_ends_begins_anew():
    lived = dreams(start=7).live(Always(2), 4)
    assert places(lived).tolist() == [[7, 8, 7, 8]] * 6
    assert lived.rewards.tolist() == [[0, 1, 0, 1]] * 6
    assert lived.lives.tolist() == [[1, 0, 1, 0]] * 6
    assert lived.goes_on.tolist() == [[True, False, True, False]] * 6
    assert lived.next_values[0].tolist() == [8, END, 8, END]  # of where the step led, not of the new start


def test_a_dream_that_lasts_begins_anew_and_its_last_value_counts():
    lived = dreams(count=1, longest=4, start=3).live(Always(1), 12)  # waits
    cut = np.flatnonzero(~lived.goes_on[0].numpy())
    assert cut.tolist() == list(range(cut[0], 12, 4))
    assert bool((lived.lives == 1).all()) and lived.next_values[0].tolist() == [3.0] * 12


def test_a_dream_restarts_where_it_leaves_too_much_open_and_nothing_is_gained_by_that():
    lived = dreams(start=5, known=6, most_open=0.5).live(Always(2), 3)
    assert places(lived).tolist() == [[5, 6, 5]] * 6
    assert lived.goes_on.tolist() == [[True, False, True]] * 6
    assert lived.next_values.tolist() == [[6.0, 6.0, 6.0]] * 6  # the second step leads to 7, which is in doubt
    assert bool((lived.lives == 1).all())


def test_what_is_lost_by_a_step_in_doubt_is_believed():
    lived = dreams(start=5, known=3, most_open=0.5).live(Always(0), 2)  # to the left, where less is to be had
    assert lived.next_values.tolist() == [[4.0, 4.0]] * 6 and not lived.goes_on.any()


def test_dreams_go_on_between_two_calls():
    whole, parts = dreams(), dreams()
    together = whole.live(Always(2), 8)
    first, second = parts.live(Always(2), 3), parts.live(Always(2), 5)
    for one, before, after in zip(together, first, second, strict=True):
        assert torch.equal(one, torch.cat([before, after], 1))


def test_the_seed_decides_everything():
    torch.manual_seed(0)
    policy = Policy(END + 1, 3, 4)
    first, same, other = (dreams(seed=seed).live(policy, 20) for seed in (1, 1, 2))
    assert all(torch.equal(a, b) for a, b in zip(first, same, strict=True))
    assert not torch.equal(first.draws, other.draws)


def test_the_mean_return_is_that_of_whole_dreams():
    running = dreams(start=7)
    assert np.isnan(running.mean_return)
    running.live(Always(2), 2)
    assert np.isnan(running.mean_return)  # of the first ones nobody knows what they earned before
    running.live(Always(2), 2)
    assert running.mean_return == 1.0


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_dreams_are_of_the_temperature_that_is_asked_for_and_no_frame_is_decoded(temperature):
    simulator = Corridor()
    settings = []
    step = simulator.step
    simulator.step = lambda *given, **more: settings.append(more) or step(*given, **more)
    head, starts = head_for(simulator.card.action_space), corridor_starts(simulator)
    Dreams(simulator, sense, head, starts, 2, 9, 0, temperature).live(Always(2), 3)
    assert all(more["decode"] is False and more["temperature"] == temperature for more in settings)
