"""Self-contained HTML pages: a template, its own style and script, and nothing from elsewhere.

Everything that a model or a data set wrote is escaped by Jinja2, and characters that act unseen
are made visible. The Content-Security-Policy lets nothing run or load but the page's own style
and script, by hash.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from datetime import UTC, datetime
from importlib import resources
from importlib.metadata import version
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from srpo.report.chart import Chart, by_subject
from srpo.report.colors import style_sheet
from srpo.report.plain import printable
from srpo.report.sheet import chart_sheet
from srpo.report.web.svg import draw


def render(template: str, script: str | None = None, **values: Any) -> str:
    """The page of a template file of this folder, with a file of it as its script."""
    style = style_sheet() + _file("page.css")
    code = _file(script) if script else ""
    environment = Environment(
        loader=FunctionLoader(_file),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(
        policy=_policy(style, code),
        style=Markup(style),
        script=Markup(code),
        made=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        version=version("srpo"),
        **values,
    )


def figures(charts: list[Chart], most: int | None = None) -> dict[str, list[dict[str, Any]]]:
    """The charts by subject, each with its drawing and its table of at most `most` rows."""
    return {
        subject: [
            {"chart": c, "svg": Markup(draw(c)), "sheet": chart_sheet(c, most)} for c in together
        ]
        for subject, together in by_subject(charts).items()
    }


def _visible(value: Any) -> Any:
    """What Jinja2 is about to escape, without characters that act unseen."""
    return printable(value) if type(value) is str else value


def _policy(style: str, script: str) -> str:
    scripts = f" script-src '{_hash(script)}';" if script else ""
    own = f"style-src '{_hash(style)}';{scripts}"
    return f"default-src 'none'; {own} base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return "sha256-" + b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _file(name: str) -> str:
    return resources.files("srpo.report.web").joinpath(name).read_text(encoding="utf-8")
