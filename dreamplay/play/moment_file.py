"""A moment as a file that another person can open: plain arrays and JSON, nothing in it is run.

It holds the dream's whole state, from which the same checkpoint goes on bit for bit; the last frames and actions, from
which any other simulator of the same game can dream on; and the real game's seed and actions.
"""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import gymnasium as gym
import numpy as np

from dreamplay.errors import UserError
from dreamplay.play.moment import Dreamed, Lived, Moment, Past
from dreamplay.play.reality import CONTEXT
from dreamplay.play.session import Session
from dreamplay.whole_files import write_whole

FORMAT = 1
SUFFIX = ".moment.npz"


def save_moment(path: Path, session: Session, checkpoint: str) -> None:
    """Write where the player stands.

    Args:
        path: The file; replaced if it exists.
        session: The game; it has a dream.
        checkpoint: What tells the simulator's weights from others, see `fingerprint`.

    Raises:
        UserError: There is no dream.
        OSError: The file cannot be written.
    """
    moment = session.moment
    if session.dream is None or moment.dream is None:
        raise UserError("only moments of a dream can be saved; play a RUN, not an environment alone")
    snapshot = moment.dream.snapshot
    run = _since_context(session.line.recent(CONTEXT))
    head = {
        "format": FORMAT,
        "env": session.dream.simulator.card.id,
        "checkpoint": checkpoint,
        "step": moment.step,
        "dream": {
            "horizon": moment.dream.horizon,
            "reward": moment.dream.reward,
            "total": moment.dream.total,
            "over": moment.dream.over,
            "termination_probability": moment.dream.termination_probability,
        },
        "generators": snapshot["generators"],
        "seeds": [int(seed) for seed in snapshot["seeds"]],
        "real": None if moment.real is None else {"seed": moment.real.past.seed, "total": moment.real.total},
    }
    arrays = {
        "head": np.array(json.dumps(head)),
        "frames": np.stack([m.dream.frame for m in run if m.dream is not None]),
        "actions": np.array([m.action for m in run[1:]]),
        "snapshot.frames": snapshot["frames"],
        "snapshot.elapsed": snapshot["elapsed"],
        "snapshot.done": snapshot["done"],
        **{f"state.{name}": value for name, value in snapshot["state"].items()},
    }
    if moment.real is not None:
        arrays["real.actions"] = np.array(moment.real.past.actions)
    buffer = BytesIO()
    np.savez_compressed(buffer, **arrays)
    write_whole(path, buffer.getvalue())


def open_moment(path: Path, session: Session, checkpoint: str) -> str:
    """Put a session where a file says; the notice tells how exact that is.

    Raises:
        UserError: The file is not readable, not of this game, or does not fit; the session is as it was.
    """
    if session.dream is None:
        raise UserError("a moment of a dream needs a dream: open it while playing a RUN")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        head = json.loads(str(arrays["head"]))
        if head["format"] != FORMAT:
            raise UserError(f"{path} is of format {head['format']}, not {FORMAT}: another version wrote it")
        env, exact = head["env"], head["checkpoint"] == checkpoint
        here = session.dream.simulator.card.id
        if env != here:
            raise UserError(f"{path} is a moment of {env}; open it with a run of that, not of {here}")
        session.unsettle()
        dream = _exactly(session, head, arrays) if exact else _from_context(session, arrays)
        real = _really(session, head["real"], arrays)
        step = int(head["step"])
    except (
        OSError,
        EOFError,
        BadZipFile,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        gym.error.Error,
    ) as error:
        raise UserError(f"{path} cannot be opened as a moment ({error})") from None
    session.begin(Moment(step, None, dream, real))
    how = "exactly" if exact else "from its last frames, as another checkpoint saved it"
    truth = "" if real is not None or session.reality is None else "; the real game is left behind"
    return f"{path.name} opened {how}{truth}"


def fingerprint(run: str | Path) -> str:
    """What tells the checkpoint of a run from others: the checksums of its weights."""
    from dreamplay.checkpoint import read_manifest

    return " ".join(sorted(h for name, h in read_manifest(Path(run))["files"].items() if name.startswith("weights-")))


def _since_context(moments: list[Moment]) -> list[Moment]:
    """The last moments that follow one another in one dream: a new one begins without an action."""
    starts = [index for index, moment in enumerate(moments) if moment.action is None or moment.dream is None]
    return moments[starts[-1] if starts else 0 :]


def _exactly(session: Session, head: dict[str, Any], arrays: dict[str, np.ndarray]) -> Dreamed:
    assert session.dream is not None
    prefix = "state."
    snapshot = {
        "state": {name[len(prefix) :]: value for name, value in arrays.items() if name.startswith(prefix)},
        "frames": arrays["snapshot.frames"],
        "elapsed": arrays["snapshot.elapsed"],
        "done": arrays["snapshot.done"],
        "generators": head["generators"],
        "seeds": head["seeds"],
    }
    session.dream.restore(snapshot)
    known = head["dream"]
    return Dreamed(
        snapshot["frames"][0],
        int(known["horizon"]),
        snapshot,
        float(known["reward"]),
        float(known["total"]),
        bool(known["over"]),
        float(known["termination_probability"]),
    )


def _from_context(session: Session, arrays: dict[str, np.ndarray]) -> Dreamed:
    assert session.dream is not None
    shape = session.dream.simulator.card.action_space.shape or ()
    context = {"observations": arrays["frames"], "actions": arrays["actions"].reshape(-1, *shape)}
    frame, info = session.dream.reset(options={"context": context})
    return Dreamed(frame, int(info["horizon"]), session.dream.snapshot())


def _really(session: Session, known: dict[str, Any] | None, arrays: dict[str, np.ndarray]) -> Lived | None:
    """The real game played again up to there; None where it cannot be."""
    if session.reality is None or known is None:
        return None
    actions = list(arrays["real.actions"])
    past = Past(int(known["seed"]), actions, len(actions), float(known["total"]))
    session.reality.finish()
    if not session.reality.return_to(past, {}):
        return None
    return Lived(session.reality.frame, session.reality.past, over=session.reality.over)
