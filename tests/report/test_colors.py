"""The palette: every colour can be seen on the grounds that it is drawn on."""

from __future__ import annotations

import pytest

from srpo.report.colors import PALETTE

GROUNDS = ("#fbfbfa", "#1d2125")  # the pages' darkest light ground, their lightest dark one


def luminance(color: str) -> float:
    """Relative, of sRGB (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance)."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("name", PALETTE)
def test_contrast_is_three_to_one(name: str):
    for color, ground in zip(PALETTE[name], GROUNDS, strict=True):
        low, high = sorted((luminance(color), luminance(ground)))
        assert (high + 0.05) / (low + 0.05) >= 3
