"""The files that tell of a curation, beside its data."""

from __future__ import annotations

import yaml

from srpo.data.curate.pipeline import Curated
from srpo.data.curate.reasons import meanings
from srpo.files import write_whole
from srpo.recipe.curation import Curation
from srpo.report.curation.card import Origin, card
from srpo.report.curation.page import curation_markdown, curation_page
from srpo.report.curation.summary import Summary, summarise

PAGE, MARKDOWN, CARD = "report.html", "report.md", "card.md"


def write_reports(done: Curated, config: Curation, command: str) -> Summary:
    """Write report.html, report.md and card.md into the curation's folder.

    Args:
        done: the finished curation.
        config: what it was made by.
        command: that made it, as a shell takes it.
    """
    summary, said = summarise(done.all_rows()), meanings(config)
    name = done.out.resolve().name
    origins = [Origin(r.name, r.source.path, r.source.license, r.files()) for r in done.raws]
    recipe = yaml.safe_dump(config.model_dump(mode="json", exclude_none=True), sort_keys=False)
    write_whole(done.out / PAGE, curation_page(summary, name, said))
    write_whole(done.out / MARKDOWN, curation_markdown(summary, name, said))
    write_whole(done.out / CARD, card(summary, name, origins, command, recipe, done.out))
    return summary
