"""The tables and charts of a curation."""

from __future__ import annotations

from srpo.report.chart import Axis, Chart, Series
from srpo.report.colors import domain_style
from srpo.report.curation.summary import BINS, LENGTHS, STAGES, Summary
from srpo.report.sheet import Sheet

TOPICS = 20


def sheets(s: Summary) -> list[Sheet]:
    """All counts; the examples stand elsewhere."""
    funnel = [[stage, _n(gone), _n(left)] for stage, gone, left in s.funnel()]
    sources = [
        [name, _n(c["rows"]), _n(c["kept"]), _share(c["kept"], c["rows"])]
        for name, c in s.sources.items()
    ]
    found = [
        Sheet("Rows by stage", ["stage", "dropped", "left"], funnel),
        Sheet("Rows by source", ["source", "rows", "kept", "share"], sources),
    ]
    counters = {
        "Difficulty of the kept rows": ("difficulty", s.difficulties),
        "Language of the kept rows": ("language", s.languages),
        "Topics of the kept rows": ("topic", s.topics),
        "What cleaning changed": ("change", s.changes),
        "Notes, which are no reason to drop a row": ("note", s.notes),
    }
    for caption, (name, counter) in counters.items():
        rows = [[key, _n(count)] for key, count in counter.most_common(TOPICS)]
        found += [Sheet(caption, [name, "rows"], rows)] if rows else []
    return found


def reason_sheet(s: Summary) -> Sheet:
    """Every rule that dropped a row."""
    rows = [[name, s.reasons[name].stage, _n(s.reasons[name].count)] for name in by_count(s)]
    return Sheet("Dropped rows by reason", ["reason", "stage", "rows"], rows)


def by_count(s: Summary) -> list[str]:
    """The reasons, the most frequent first."""
    return sorted(s.reasons, key=lambda name: -s.reasons[name].count)


def charts(s: Summary) -> list[Chart]:
    """Funnel, pass rates and lengths."""
    funnel = s.funnel()
    found = [
        _bars(
            "funnel",
            "Rows left after each stage",
            "From the rows read to those that training gets.",
            [STAGES.get(stage, stage) for stage, *_ in funnel],
            {"rows": [float(left) for *_, left in funnel]},
        )
    ]
    if sum(s.rates):
        found.append(
            _bars(
                "rates",
                "Pass rates of the kept rows",
                "To the nearest tenth. At 0% and 100% a group of responses teaches nothing.",
                [f"{100 * i // BINS}%" for i in range(BINS + 1)],
                {"rows": [float(count) for count in s.rates]},
            )
        )
    names = [f"<{edge}" for edge in LENGTHS] + [f"{LENGTHS[-1]}+"]
    lengths = {d: [float(count) for count in counts] for d, counts in sorted(s.lengths.items())}
    if lengths:
        title = "Lengths of the kept questions"
        found.append(_bars("lengths", title, "Characters.", names, lengths))
    return found


def _bars(
    key: str, title: str, caption: str, names: list[str], columns: dict[str, list[float]]
) -> Chart:
    at = [i + 0.5 for i in range(len(names))]
    series = [
        Series(n, "ink" if n == "rows" else domain_style(n).color, v) for n, v in columns.items()
    ]
    axis = Axis("", at, names, high=float(len(names)))
    return Chart("Rows", key, title, caption, "bars", "count", False, axis=axis, series=series)


def _n(count: int) -> str:
    return f"{count:,}"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "-"
