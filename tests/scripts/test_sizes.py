"""The table of sizes: its costs are those of the networks, its times those of trainings."""

from pathlib import Path

import pytest
import torch

from dreamplay.network_sizes import SIZES


@pytest.fixture(autouse=True)
def nano_only(monkeypatch: pytest.MonkeyPatch) -> None:
    import sizes

    monkeypatch.setattr(sizes, "SIZES", {"nano": SIZES["nano"]})
    monkeypatch.setattr(sizes, "FRAMES", ((16, 12),))


def test_it_counts_parameters_and_operations(tmp_path: Path) -> None:
    import sizes

    run = sizes.untrained("nano", (16, 12), tmp_path)
    parameters, flops = sizes.count(run)
    from dreamplay.simulator import load

    network = load(run, "cpu", "torch").network
    assert parameters == sum(p.numel() for p in network.parameters())
    # Every matrix is used once in a step, two operations a weight; a convolution once for each of its 8 x 6 cells. The
    # embedding of a patch becomes one of its 9 colours' indicators first. The posterior is for training.
    cells, expected = 8 * 6, 0
    unused = ("posterior", "news", "read")
    for name, module in network.named_modules():
        if name.split(".")[0] in unused:
            continue
        if name == "embed":
            expected += 2 * 9 * module.weight.numel() + 2 * cells * module.weight.numel() // 4 * 9
        elif isinstance(module, torch.nn.Linear):
            expected += 2 * module.weight.numel()
        elif isinstance(module, torch.nn.Conv2d):
            expected += 2 * cells * module.weight.numel()
    assert flops <= expected  # the first frame was seen before
    assert flops > 0.8 * expected


def test_the_table_goes_between_its_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sizes

    document = tmp_path / "sizes.md"
    document.write_text(f"before\n{sizes.MARKS[0]}\nold\n{sizes.MARKS[1]}\nafter\n")
    words = ["sizes.py", "--batches", "1", "--rounds", "1", "--seconds", "0.01", "--write"]
    monkeypatch.setattr("sys.argv", [*words, str(document)])
    sizes.main()
    text = document.read_text()
    assert "old" not in text
    assert text.startswith(f"before\n{sizes.MARKS[0]}\nMeasured on one core of ")
    assert text.endswith(f"{sizes.MARKS[1]}\nafter\n")
    assert "| nano | 16 x 12 |" in text


@pytest.mark.slow
def test_it_trains_until_a_truth_horizon(tmp_path: Path) -> None:
    import sizes

    options = {"steps": 600, "minutes": 0.05, "every": 0.02, "horizon": 1, "out": tmp_path}
    (said, _, *rows) = sizes.times(sizes.Sizes(**options, share=0.0))
    assert "at most 0.05 minutes" in said
    minutes = float(rows[2].split("|")[2])
    assert 0.02 <= minutes <= 0.06  # judged at the first pause, and good enough then
    (_, _, *rows) = sizes.times(sizes.Sizes(**options | {"out": tmp_path / "again"}, share=1.1))
    assert "not reached" in rows[2]
