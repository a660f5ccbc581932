"""Events that were seen are judged again, by the layers that judge and by these alone."""

import torch
from networks import R, batch_for, gradients, palette_network
from torch.nn import functional as F

from dreamplay.acceleration import PLAIN
from dreamplay.curriculum import window
from dreamplay.objective import imagine, objective
from dreamplay.own_loss import OwnLoss
from dreamplay.ranks import Ranks
from dreamplay.rehearsal import REHEARSAL, REHEARSED, Events, rehearsal_loss

T = 5


def test_an_event_that_is_judged_again_is_judged_among_all_events_there_might_have_been():
    network = palette_network()
    batch = batch_for(network, T)
    usual = batch.rewards[..., 0] > 0
    batch = batch._replace(events=~usual | (batch.terminated > 0))
    events = objective(network, batch, window(T)).events.alone()
    assert 0 < len(events.clues) < 2 * T
    losses = []
    for clues, reward, terminated in zip(events.clues, events.rewards, events.terminated, strict=True):
        noticed, decided = clues.split([network.evidence.in_features, network.judge.in_features])
        said = network.heads(network.evidence(noticed) * network.judge(decided))
        rewards, end = said[:-1].softmax(0), said[-1].sigmoid()
        of_all = torch.stack([rewards * (1 - end), rewards * end])  # (2, R): goes on or ends, by reward
        of_events = of_all.flatten()[1:] / of_all.flatten()[1:].sum()  # the first is no event
        losses.append(-of_events[int(terminated) * R + int(reward.argmax()) - 1].log())
    torch.testing.assert_close(rehearsal_loss(network, events), torch.stack(losses).mean())


def test_whether_there_is_an_event_is_not_learned_from_rehearsed_ones():
    """Of one kind of event, nothing is left to learn."""
    network = palette_network()
    clues = torch.randn(7, network.clues)
    ends = Events(clues, torch.eye(R)[:1].expand(7, -1), torch.ones(7), torch.eye(R)[:1].expand(7, -1), torch.ones(7))
    with torch.no_grad():
        network.heads.bias[: R - 1] = 50  # no other reward is thought of
    assert rehearsal_loss(network, ends).abs() < 1e-5
    assert all(gradient.abs().max() < 1e-4 for gradient in gradients(network, rehearsal_loss(network, ends)).values())


def test_only_the_layers_that_judge_learn_from_a_rehearsal():
    network = palette_network()
    events = objective(network, batch_for(network, T), window(T)).events
    learned = {name.split(".")[0] for name in gradients(network, rehearsal_loss(network, events))}
    assert learned == {"evidence", "judge", "heads"}


def test_the_last_events_are_kept():
    number = torch.arange(REHEARSED + 3.0)
    ones = torch.ones(100)
    parts = [
        Events(part[:, None], part[:, None].expand(-1, 2), part, part[:, None], ones[: len(part)])
        for part in number.split(100)
    ]
    kept = Events.joined(parts).last()
    assert torch.equal(kept.terminated, number[3:]) and torch.equal(kept.clues, number[3:, None])
    assert torch.equal(kept.rewards[:, 1], number[3:])


def test_an_event_is_kept_before_what_is_none_however_old_it_is():
    old = Events(*(part[:2] + 1 for part in Events.none(3, 2)))
    kept = Events.joined([old, Events.none(3, 2)]).last()
    assert kept.rare.tolist() == [0] * (REHEARSED - 2) + [1, 1] and kept.clues[-2:].eq(1).all()


def test_what_is_no_event_is_not_kept():
    others = Events(*(part + 1 for part in Events.none(3, 2)))._replace(rare=torch.zeros(REHEARSED))
    assert not any(part.any() for part in others.last())


def test_places_that_are_not_taken_cost_nothing():
    network = palette_network()
    events = objective(network, batch_for(network, T), window(T)).events
    with_places = Events.joined([Events.none(network.clues, R), events]).last()
    torch.testing.assert_close(rehearsal_loss(network, with_places), rehearsal_loss(network, events.alone()))
    assert rehearsal_loss(network, Events.none(network.clues, R)).item() == 0


def test_an_event_weighs_as_much_as_any_other_step():
    """Rehearsed at once, what all layers learn from a batch is what its plain mean would teach them."""
    network, batch = palette_network(), batch_for(palette_network(), T)
    network.numbers = None  # loud as they are, they would only magnify what is rounded
    events, steps = objective(network, batch, window(T)).events, torch.tensor(2.0 * T)
    loss = OwnLoss(network, PLAIN, Ranks.current())
    total, *_ = loss(objective, batch, window(T), None, steps, events, batch.events.float().mean())
    learned = gradients(network, total)

    truth = batch.frames[:, 1:]
    predicted, _ = imagine(network, batch.frames[:, :-1], batch.actions, window(T), truth=truth)
    pixels = network.frames.log_loss(predicted.frame, truth.flatten(0, 1)).flatten(1).sum(1)
    rewards = F.cross_entropy(predicted.reward, batch.rewards.flatten(0, 1))
    ends = F.binary_cross_entropy_with_logits(predicted.termination, batch.terminated.flatten())
    mean = pixels.mean() + predicted.surprise.mean() + network.event_weight * (rewards + ends)
    plain = gradients(network, mean)
    assert plain.keys() == learned.keys()
    for name, gradient in plain.items():
        torch.testing.assert_close(learned[name], gradient)


def test_what_judges_learns_a_tenth_of_which_event_it_is_when_it_is_seen():
    network = palette_network()
    network.numbers = None  # so that what judges does not learn from pixels
    batch = batch_for(network, T)
    nothing, all_of_them = torch.zeros_like(batch.events), torch.ones_like(batch.events)
    batch = batch._replace(usual=torch.zeros(R))  # there always is one
    plain = gradients(network, objective(network, batch._replace(events=nothing), window(T)).total)
    seen = gradients(network, objective(network, batch._replace(events=all_of_them), window(T)).total)
    for name, gradient in plain.items():
        judges = name.split(".")[0] in ("evidence", "judge", "heads")
        torch.testing.assert_close(seen[name], gradient * (1 - REHEARSAL if judges else 1))
