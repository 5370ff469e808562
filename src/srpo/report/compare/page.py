"""A comparison on the terminal, as a page, as Markdown and as a picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from rich.console import Group
from rich.padding import Padding
from rich.text import Text

from srpo.files import write_whole
from srpo.report.compare.charts import compare_charts
from srpo.report.compare.compare import Comparison
from srpo.report.compare.words import compare_conclusions, compare_sheets, notes
from srpo.report.sheet import escape, rich_table, table_lines
from srpo.report.web.page import figures, render
from srpo.types import UserError

TABLE = 11  # places of a curve in its table


def comparison_view(c: Comparison) -> Group:
    """Conclusions, warnings and tables for a terminal."""
    parts = [Padding(rich_table(s), (0, 0, 1, 0)) for s in compare_sheets(c)]
    warned = [Text(f"! {note}", style="yellow") for note in notes(c)]
    return Group(*parts, *warned, Text(""), Text(" ".join(compare_conclusions(c))))


def writer(out: Path) -> Callable[[Comparison, Path], None]:
    """What writes a file of this name. Raises UserError for an ending that is none of ours."""
    writers: dict[str, Callable[[Comparison, Path], None]] = {
        ".html": lambda c, out: write_whole(out, compare_page(c)),
        ".md": lambda c, out: write_whole(out, compare_markdown(c)),
        ".png": _write_picture,
    }
    try:
        chosen = writers[out.suffix.lower()]
    except KeyError:
        raise UserError(
            f"--out {str(out)!r}: the name tells the format; end it in .html, .md or .png"
        ) from None
    if not out.parent.is_dir():
        raise UserError(f"--out {str(out)!r}: there is no folder {str(out.parent)!r}; make it")
    return chosen


def _write_picture(c: Comparison, out: Path) -> None:
    from srpo.report.picture import write_picture

    write_picture(compare_charts(c), out)


def compare_page(c: Comparison) -> str:
    """One page that needs nothing else: no script, no network; all text in it is escaped."""
    return render(
        "page.compare.html",
        title=" vs ".join(k.label for k in c.conditions[:4]),
        subtitle=_subtitle(c),
        conclusions=compare_conclusions(c),
        notes=notes(c),
        subjects=figures(compare_charts(c), TABLE),
        sheets=compare_sheets(c),
    )


def _subtitle(c: Comparison) -> str:
    runs = sum(len(k.members) for k in c.conditions)
    return f"{runs} runs in {len(c.conditions)} conditions, aligned by {c.by.value}"


def compare_markdown(c: Comparison) -> str:
    """Conclusions, warnings and tables; names from recipes are escaped."""
    parts = ["## srpo compare", "", escape(" ".join(compare_conclusions(c))), ""]
    parts += [f"- {escape(note)}" for note in notes(c)]
    tables = [line for sheet in compare_sheets(c) for line in table_lines(sheet)]
    return "\n".join([*parts, "", *tables]) + "\n"
