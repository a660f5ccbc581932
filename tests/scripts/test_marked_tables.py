"""Documents whose table a script replaces."""

from pathlib import Path

import pytest

from dreamplay.errors import UserError

MARKS = ("<!-- begin -->", "<!-- end -->")


@pytest.mark.parametrize("text", [None, "no marks", MARKS[0], MARKS[1]])
def test_a_document_without_a_place_is_refused_and_left_alone(tmp_path: Path, text: str | None) -> None:
    from marked_tables import write_between

    page = tmp_path / "page.md"
    if text is not None:
        page.write_text(text)
    with pytest.raises(UserError, match="lacks the marks"):
        write_between(page, MARKS, "table")
    assert (page.read_text() if text is not None else page.exists()) == (text if text is not None else False)


def test_sizes_looks_for_the_place_before_it_measures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sizes

    monkeypatch.setattr(sizes, "costs", lambda asked: pytest.fail("measured"))
    monkeypatch.setattr("sys.argv", ["sizes.py", "--write", str(tmp_path / "missing.md")])
    with pytest.raises(UserError, match="lacks the marks"):
        sizes.main()
