"""The page that explains the report has every chart that there is."""

from __future__ import annotations

from pathlib import Path

from srpo.report.run.charts import CATALOGUE
from srpo.report.run.guide import guide


def test_the_page_is_the_catalogues():
    page = (Path(__file__).parents[3] / "docs/report.md").read_text(encoding="utf-8")
    assert page == guide()
    assert all(chart.title in page and chart.caption in page for chart, _ in CATALOGUE)
