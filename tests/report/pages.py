"""A page read back, and texts that would like to be more than text on it."""

from __future__ import annotations

from html.parser import HTMLParser

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!--<script>",
    "]]></svg><a href='javascript:alert(1)'>x</a>",
    '" onmouseover="alert(1)',
    "\u202egnp.exe\u2066",
    "\x1b]0;title\x07 \x00 \x7f",
    "\u2028\ud800",
    "{{ 7 * 7 }}{% raw %}",
    "https://example.org/x.png",
)


class Reader(HTMLParser):
    """Tags in order, attributes, table rows by caption, and the texts of style and script."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.raw: dict[str, list[str]] = {"style": [], "script": [], "title": []}
        self.rows: list[list[str]] = []
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        self.inside = tag
        if tag == "table":
            self.rows = []
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("th", "td"):
            self.rows[-1].append("")
        elif tag in self.raw:
            self.raw[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "caption":
            self.tables[data] = self.rows
        elif self.inside in ("th", "td"):
            self.rows[-1][-1] += data
        elif self.inside in self.raw:
            self.raw[self.inside][-1] += data
