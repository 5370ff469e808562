"""Colours and marks, the same on pages and in pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import get_args
from zlib import crc32

from srpo.domains import SHIPPED, find_domain
from srpo.verifiers.domain import Marker

# By name: on a light ground, on a dark one. Okabe and Ito's hues, which people with any kind of
# colour vision can tell apart, as dark (or light) as a contrast of 3:1 asks for
# (https://www.w3.org/TR/WCAG22/#non-text-contrast).
PALETTE = {
    "blue": ("#0072b2", "#4ba6e6"),
    "red": ("#d55e00", "#ff8f4f"),
    "green": ("#009e73", "#2bbd92"),
    "sky": ("#3c93c8", "#5b9fc9"),
    "orange": ("#b57c00", "#f0b429"),
    "pink": ("#c36a9b", "#dd93bc"),
    "ink": ("#3a3f44", "#d3d8dc"),
    "pale": ("#8b9298", "#7d868e"),
    "green1": ("#00503a", "#5fe0b9"),
    "green2": ("#00745a", "#2fb88f"),
    "green3": ("#1f8f6c", "#2a9474"),
    "green4": ("#4b9d80", "#2f7a62"),
}


@dataclass(frozen=True)
class DomainStyle:
    """How a domain is shown; `rank` orders domains, those of the same rank by name."""

    color: str
    marker: Marker
    rank: int


_OTHERS = (
    DomainStyle("green", "diamond", len(SHIPPED)),
    DomainStyle("pink", "triangle", len(SHIPPED)),
    DomainStyle("orange", "diamond", len(SHIPPED)),
    DomainStyle("ink", "triangle", len(SHIPPED)),
)

Given = Mapping[str, Mapping[str, str | None]]  # a run's domains.json: color and marker by name
NONE_GIVEN: Given = MappingProxyType({})


def domain_style(name: str, given: Given = NONE_GIVEN) -> DomainStyle:
    """The domain's style, always the same; a domain that gives itself none gets it by its name."""
    style = _OTHERS[crc32(name.encode()) % len(_OTHERS)]
    look: Mapping[str, str | None] = given.get(name, {})
    if name in SHIPPED:
        style = replace(style, rank=SHIPPED.index(name))
        look = vars(find_domain(name))
    if (color := look.get("color")) in PALETTE:
        style = replace(style, color=color)
    if (marker := look.get("marker")) in get_args(Marker):
        style = replace(style, marker=marker)
    return style


def style_sheet() -> str:
    """The palette as CSS: a class for each colour, which sets `--c`."""
    light, dark = (
        "".join(f"--{name}:{pair[i]};" for name, pair in PALETTE.items()) for i in (0, 1)
    )
    classes = "".join(f".{name}{{--c:var(--{name})}}" for name in PALETTE)
    return f":root{{{light}}}@media (prefers-color-scheme:dark){{:root{{{dark}}}}}{classes}\n"
