"""One HTML page that holds its pictures, videos and tables, so that it can be sent to somebody as one file."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

from dreamplay.whole_files import write_whole

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #22223b; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.2rem; } .note { color: #666a7b; }
img, video { display: block; max-width: 100%; border: 1px solid #dcdce4; }
table, img, video { margin: 1.2rem 0; } table { border-collapse: collapse; }
td, th { padding: .25rem .9rem; border-bottom: 1px solid #e3e3ea; }
td, th { text-align: right; } th:first-child, td:first-child { text-align: left; }
pre { background: #f2f2f6; padding: .7rem 1rem; overflow-x: auto; }
"""


class Page:
    """A page under construction; `write` makes the file.

    Args:
        title: its heading.
        subtitle: a line under the heading.
    """

    def __init__(self, title: str, subtitle: str) -> None:
        self._title = title
        self._parts = [f"<h1>{escape(title)}</h1>", f"<p class=note>{escape(subtitle)}</p>"]

    def section(self, heading: str, text: str) -> None:
        """A heading and a paragraph."""
        self._parts += [f"<h2>{escape(heading)}</h2>", f"<p>{escape(text)}</p>"]

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """A table of texts."""
        lines = ["".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in row) for tag, row in _tagged(header, rows)]
        self._parts.append("<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>")

    def picture(self, png: Path) -> None:
        """A PNG file, taken into the page."""
        self._parts.append(f'<img src="data:image/png;base64,{_base64(png)}" alt="{escape(png.stem)}">')

    def video(self, mp4: Path) -> None:
        """An MP4 file, taken into the page."""
        source = f"data:video/mp4;base64,{_base64(mp4)}"
        self._parts.append(f'<video controls loop muted autoplay playsinline src="{source}"></video>')

    def commands(self, lines: Sequence[str]) -> None:
        """Command lines to copy."""
        self._parts.append("<pre><code>" + "\n".join(escape(line) for line in lines) + "</code></pre>")

    def write(self, path: Path) -> None:
        """Write the page."""
        title = f"<title>{escape(self._title)}</title>"
        head = f"<!doctype html><html lang=en><meta charset=utf-8>{title}<style>{STYLE}</style>"
        write_whole(path, (head + "\n".join(self._parts) + "\n").encode())


def _tagged(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[tuple[str, Sequence[str]]]:
    return [("th", header), *(("td", row) for row in rows)]


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode("ascii")
