"""The HTML page: one file that needs no other."""

import base64
from html.parser import HTMLParser

from dreamplay.report import Page


class Reader(HTMLParser):
    """Collects the texts of cells, the sources, and all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.cells: list[tuple[str, str]] = []
        self.sources: list[tuple[str, str]] = []
        self.text = ""
        self._tag = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self._tag = tag
        self.sources += [(tag, value) for name, value in attrs if name in ("src", "href")]

    def handle_endtag(self, tag):
        self._tag = ""

    def handle_data(self, data):
        self.text += data
        if self._tag in ("td", "th"):
            self.cells.append((self._tag, data))


def test_pictures_and_videos_are_inside(tmp_path):
    (tmp_path / "a.png").write_bytes(b"\x89PNG picture")
    (tmp_path / "b.mp4").write_bytes(b"film\x00\xff")
    page = Page("T", "S")
    page.picture(tmp_path / "a.png")
    page.video(tmp_path / "b.mp4")
    page.write(tmp_path / "page.html")
    sources = Reader((tmp_path / "page.html").read_text(encoding="utf-8")).sources
    assert [(tag, source.split(",")[0]) for tag, source in sources] == [
        ("img", "data:image/png;base64"),
        ("video", "data:video/mp4;base64"),
    ]
    contents = [base64.b64decode(source.split(",")[1]) for _, source in sources]
    assert contents == [b"\x89PNG picture", b"film\x00\xff"]


def test_texts_are_texts_and_tables_tables(tmp_path):
    page = Page("<b> & co", "one <i>")
    page.section("2 < 3", "± <script>alert(1)</script>")
    page.table(["agent", "a<b"], [["random", "1.5"], ["<i>", "–"]])
    page.commands(["dreamplay play 'a & b'", "second"])
    page.write(tmp_path / "page.html")
    source = (tmp_path / "page.html").read_text(encoding="utf-8")
    reader = Reader(source)
    assert reader.cells == [("th", "agent"), ("th", "a<b"), ("td", "random"), ("td", "1.5"), ("td", "<i>"), ("td", "–")]
    for text in ("<b> & co", "one <i>", "2 < 3", "<script>alert(1)</script>", "dreamplay play 'a & b'\nsecond"):
        assert text in reader.text
    assert "<script" not in source
