"""`report.md` and `report.html` of a curation: funnel, counts, and three examples a rule."""

from __future__ import annotations

from srpo.report.curation.sheets import by_count, charts, reason_sheet, sheets
from srpo.report.curation.summary import Summary
from srpo.report.plain import one_line
from srpo.report.sheet import Sheet, escape, table_lines
from srpo.report.web.page import figures, render


def conclusions(s: Summary) -> list[str]:
    """The outcome in sentences."""
    share = f" ({s.kept / s.rows:.1%})" if s.rows else ""
    found = [f"Of {s.rows:,} rows {s.kept:,} were kept{share}, {s.dropped:,} dropped."]
    if first := by_count(s)[:3]:
        most = ", ".join(f"{name} ({s.reasons[name].count:,})" for name in first)
        found.append(f"Most frequent reasons: {most}.")
    if s.changes:
        found.append(f"Cleaning changed rows in {len(s.changes)} ways, see the tables.")
    return found


def curation_page(s: Summary, title: str, meanings: dict[str, str]) -> str:
    """One page that needs nothing else: no script, no network; all text in it is escaped."""
    return render(
        "page.curation.html",
        title=title,
        subtitle=", ".join(s.sources),
        conclusions=conclusions(s),
        subjects=figures(charts(s)),
        sheets=[reason_sheet(s), *sheets(s)],
        reasons=[(name, meanings.get(name, ""), s.reasons[name].examples) for name in by_count(s)],
    )


def curation_markdown(s: Summary, title: str, meanings: dict[str, str]) -> str:
    """The same without charts; what rows say is escaped."""
    lines = [f"# {escape(title)}", "", escape(" ".join(conclusions(s))), ""]
    for sheet in (reason_sheet(s), *sheets(s)):
        lines += table_lines(sheet)
    lines += ["## Examples", ""]
    for name in by_count(s):
        rows = [
            [e.id, one_line(e.evidence, 160), one_line(e.prompt, 240)]
            for e in s.reasons[name].examples
        ]
        caption = f"{name}: {meanings.get(name, '')}"
        lines += table_lines(Sheet(caption, ["row", "evidence", "question"], rows, 3))
    return "\n".join(lines) + "\n"
