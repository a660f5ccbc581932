"""Processes that train as one: the numbers of one, whatever becomes of the others."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from dreamplay.checkpoint import read_manifest, read_tensors
from dreamplay.commands.train import Train
from dreamplay.ranks import Ranks
from dreamplay.simulator import load
from dreamplay.training import LOG, RECIPES, TrainConfig, fewest_windows

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="gloo and signals as on Linux")
TROUBLE = str(Path(__file__).parents[1] / "rank_in_trouble.py")
FAILS = str(Path(__file__).parents[1] / "rank_that_fails.py")
EXACT = {"precision": "float32"}  # in bfloat16 a sum in another order is soon another training


def torchrun(*words: str, count: int = 2) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}", *words],
        capture_output=True,
        text=True,
        timeout=600,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )


def words(data: Path, run: Path, **options: object) -> list[str]:
    given = {"data": data, "out": run, "device": "cpu", **options}
    return [word for name, value in given.items() for word in (f"--{name.replace('_', '-')}", str(value))]


def assert_same(one: Path, other: Path) -> None:
    """Losses to float tolerance, weights and the optimiser as whole matrices, all that is drawn exactly.

    A single weight may be further off: Muon makes as much of the weakest direction of a gradient, where rounding is all
    that there is, as of the strongest. It grows from update to update: a millionth after 8, a thousandth after 24.
    """
    manifests = [read_manifest(run) for run in (one, other)]
    assert manifests[0]["random"] == manifests[1]["random"]
    assert manifests[0]["training"]["done_updates"] == manifests[1]["training"]["done_updates"]
    for kind in ("weights", "training"):
        first, second = (
            {name: tensor for name, tensor in read_tensors(run, manifest, kind).items() if "noise" not in name}
            for run, manifest in zip((one, other), manifests, strict=True)
        )
        assert first.keys() == second.keys()
        for name, tensor in first.items():
            apart = torch.linalg.vector_norm(second[name].double() - tensor.double())
            assert apart <= 5e-4 * (torch.linalg.vector_norm(tensor.double()) + 1), name
    logs = [[json.loads(line) for line in (run / LOG).read_text().splitlines()] for run in (one, other)]
    assert len(logs[0]) == len(logs[1]) > 0
    for a, b in zip(*logs, strict=True):
        assert {name: b[name] for name in a if name != "minutes"} == pytest.approx(
            {name: value for name, value in a.items() if name != "minutes"}, rel=1e-3
        )


def test_two_processes_equal_one(bricks, tmp_path):
    """Over the whole default curriculum: windows of unequal weight, dreams, latents drawn by chance."""
    options = {"updates": 12, "batch_steps": 192, **EXACT}  # three windows of 64: shares of one and two
    Train(data=bricks.folder, out=tmp_path / "one", device="cpu", **options).run()
    done = torchrun("-m", "dreamplay", "train", *words(bricks.folder, tmp_path / "two", **options))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("training on 2 processes, each on cpu") == 1
    assert done.stderr.count("12/12 updates") == 1 and "Warning" not in done.stderr
    assert_same(tmp_path / "one", tmp_path / "two")


@pytest.mark.slow
def test_ctrl_c_in_one_process_stops_all_and_another_number_goes_on(bricks, tmp_path):
    """In the middle of windows that share a state; its rows come from all ranks, and go to all."""
    options = {"updates": 12, "batch_steps": 192, "curriculum": "carried", **EXACT}
    Train(data=bricks.folder, out=tmp_path / "one", device="cpu", **options).run()
    done = torchrun(TROUBLE, "SIGINT", "9", *words(bricks.folder, tmp_path / "two", **options))
    assert done.returncode != 0 and "saved after 9 updates" in done.stdout, done.stderr
    assert done.stderr.count("stopped from the keyboard") == 1
    assert read_manifest(tmp_path / "two")["carried"] is not None
    assert Train(out=tmp_path / "two", resume=True, device="cpu", **EXACT).run()["updates"] == 12
    assert_same(tmp_path / "one", tmp_path / "two")


@pytest.mark.slow
def test_a_lost_process_ends_the_job_with_one_line_and_a_good_checkpoint(bricks, tmp_path):
    options = {"updates": 400, "batch_steps": 192}
    done = torchrun(TROUBLE, "SIGKILL", "5", *words(bricks.folder, tmp_path / "run", **options))
    assert done.returncode != 0
    assert done.stderr.count("dreamplay: one of the 2 processes is gone") == 1, done.stderr
    assert "--resume" in done.stderr
    load(tmp_path / "run", "cpu")
    resumed = torchrun("-m", "dreamplay", "train", "--out", str(tmp_path / "run"), "--resume", "--updates", "6")
    assert resumed.returncode == 0, resumed.stderr
    assert read_manifest(tmp_path / "run")["training"]["done_updates"] == 6


def test_the_others_stay_while_the_first_process_tells_what_failed(tmp_path):
    """One that left earlier made gloo abort the first, now and then, and its exit status was lost."""
    os.mkfifo(tmp_path / "pipe")
    done = torchrun(FAILS, str(tmp_path / "pipe"))
    assert "it failed, the others live" in done.stderr, done.stderr
    assert "exitcode  : 2" in done.stderr


@pytest.mark.slow
def test_more_processes_than_windows_are_refused_in_one_line(bricks, tmp_path):
    done = torchrun("-m", "dreamplay", "train", *words(bricks.folder, tmp_path / "run", updates=2, batch_steps=64))
    assert done.stderr.count("dreamplay: ") == 1
    assert "make some of 1 window(s), too few for 2 processes to share; use --batch-steps 128" in done.stderr
    assert done.returncode != 0 and "exitcode  : 2" in done.stderr
    assert not (tmp_path / "run").exists()


def test_shares_are_in_order_and_differ_by_one_at_most():
    for windows in range(1, 20):
        for count in range(1, windows + 1):
            shares = [list(range(windows))[Ranks(rank, count).own(windows)] for rank in range(count)]
            assert [window for share in shares for window in share] == list(range(windows))
            assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_each_process_needs_a_gpu_of_its_own(monkeypatch):
    from dreamplay.errors import UserError

    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(UserError, match=r"4 processes on this machine but 2 GPU\(s\).*--device cpu"):
        Ranks(0, 4).device("cuda")
    assert Ranks(0, 4).device("cpu") == "cpu" and Ranks().device("cuda") == "cuda"


def test_a_larger_batch_has_more_windows_for_all_stages():
    assert fewest_windows(TrainConfig()) == 3
    assert fewest_windows(TrainConfig(batch_steps=1024)) == 15
    assert RECIPES["default"].predicted(64) == 64 and RECIPES["default"].predicted(1024) == 256
    assert RECIPES["classic"].predicted(1024) is None
