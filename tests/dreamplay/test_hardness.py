"""What is known of how hard steps are: from their latest losses, once these count."""

import numpy as np
import pytest
import torch

from dreamplay.hardness import FLOOR, UNKNOWN, Hardness

NUMBERS = np.array([[0, 1], [4, 5]])


def known() -> Hardness:
    hardness = Hardness(6)
    hardness.note(NUMBERS, torch.tensor([[1.0, 3.0], [UNKNOWN, 8.0]]))
    hardness.settle()
    return hardness


def test_hardness_is_in_units_of_the_mean_and_what_is_unknown_is_like_it():
    assert known().of(NUMBERS) == pytest.approx(FLOOR + np.array([[0.25, 0.75], [1.0, 2.0]]))
    assert Hardness(6).of(NUMBERS) == pytest.approx(FLOOR + np.ones((2, 2)))


def test_what_is_noted_counts_by_half_once_it_is_settled():
    hardness = known()
    losses = torch.tensor([[3.0, UNKNOWN], [6.0, UNKNOWN]])
    hardness.note(NUMBERS, losses)
    losses.zero_()  # a recorded update writes the next ones into the same place
    assert hardness.of(NUMBERS) == pytest.approx(known().of(NUMBERS))
    hardness.settle()
    assert hardness.of(NUMBERS) == pytest.approx(FLOOR + np.array([[2, 3], [6, 8]]) / (19 / 4))


def test_steps_without_loss_are_no_trouble():
    hardness = Hardness(2)
    hardness.note(np.array([[0, 1]]), torch.zeros(1, 2))
    hardness.settle()
    assert hardness.of(np.array([[0, 1]])) == pytest.approx(np.full((1, 2), FLOOR))


def test_it_is_restored_with_what_does_not_count_yet():
    hardness = known()
    hardness.note(NUMBERS, torch.tensor([[3.0, UNKNOWN], [6.0, UNKNOWN]]))
    hardness.note(NUMBERS, torch.tensor([[9.0, 1.0], [UNKNOWN, UNKNOWN]]))
    restored = Hardness.restored(hardness.tensors())
    assert len(restored) == 6
    assert np.array_equal(restored.of(NUMBERS), hardness.of(NUMBERS))
    for each in (hardness, restored):
        each.settle()
    assert restored.tensors().keys() == hardness.tensors().keys()
    for name, tensor in hardness.tensors().items():
        assert torch.equal(restored.tensors()[name], tensor)
    assert len(Hardness.restored(Hardness(6).tensors())) == 6
