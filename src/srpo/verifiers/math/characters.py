r"""Unicode in LaTeX's spelling: digits of all scripts, roots, super- and subscripts, signs."""

# ruff: noqa: RUF001  # characters that look like others are what this is about

from __future__ import annotations

import re
import unicodedata

_SUPERSCRIPTS = re.compile(r"[⁰¹²³⁴-⁹⁺-⁾ⁿⁱ]+")
_SUBSCRIPTS = re.compile(r"[₀-₎ₐ-ₜᵢ-ᵪⱼ]+")
_FRACTIONS = re.compile(r"[¼-¾⅐-⅞]")
_ROOTS = re.compile(r"([√∛∜])\s*(?:(\d+(?:\.\d+)?|[a-zA-Z])|\(([^()]*)\)|(?=\{))")
_LONE_GREEK = re.compile(r"(?<![Ͱ-Ͽ])[Α-ω](?![Ͱ-Ͽ])")
_DEGREE = {"√": "", "∛": "[3]", "∜": "[4]"}
_SIGNS = {
    "∠": r"\angle ", "△": r"\triangle ", "∴": r"\therefore ", "⇒": r"\Rightarrow ",
    "→": r"\to ", "∑": r"\sum ", "∏": r"\prod ", "∫": r"\int ", "∖": r"\setminus ", "∣": "|",
    "′": "'", "″": "''", "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ",
    "∩": r"\cap ", "⟨": "(", "⟩": ")", "∶": ":", "、": ",", "。": ".", "ℤ": r"\mathbb{Z}",
    "ℕ": r"\mathbb{N}", "ℚ": r"\mathbb{Q}", "ℂ": r"\mathbb{C}", "∕": "/", "⁄": "/", "∙": "·",
}  # fmt: skip
_OURS = "ℝ"  # `normalise` reads it
_DOTTED = re.compile("(\\d)(?:\u0307|(\u0305))")  # 0.3 with a dot or a line above the 3


def to_latex(text: str) -> str:
    """What it does not know stays as it is; ASCII always does."""
    if text.isascii():
        return text
    text = "".join(_digit(char) for char in text)
    text = _DOTTED.sub(lambda m: f"\\{'overline' if m[2] else 'dot'}{{{m[1]}}}", text)
    text = _SUPERSCRIPTS.sub(lambda m: "^" + _group(m[0]), text)
    text = _SUBSCRIPTS.sub(lambda m: "_" + _group(m[0]), text)
    text = _FRACTIONS.sub(_fraction, text)
    text = _ROOTS.sub(_root, text)
    text = _LONE_GREEK.sub(_greek, text)
    return "".join(char if char.isascii() else _sign(char) for char in text)


def _digit(char: str) -> str:
    """Also those of bold, double-struck and the like."""
    return str(unicodedata.decimal(char)) if char.isdecimal() else char


def _group(characters: str) -> str:
    plain = unicodedata.normalize("NFKC", characters).replace("\N{MINUS SIGN}", "-")
    return plain if len(plain) == 1 else f"{{{plain}}}"


def _fraction(match: re.Match[str]) -> str:
    above, below = unicodedata.normalize("NFKC", match[0]).split("\N{FRACTION SLASH}")
    return f"\\frac{{{above}}}{{{below}}}"


def _root(match: re.Match[str]) -> str:
    inside = match[2] or match[3]
    return f"\\sqrt{_DEGREE[match[1]]}" + (f"{{{inside}}}" if inside else "")


def _greek(match: re.Match[str]) -> str:
    size, *_, name = unicodedata.name(match[0], "").split(" ")[1:] or ("", "")
    if not name.isalpha() or name in ("OMICRON", "TONOS", "FINAL"):
        return match[0]
    name = "lambda" if name == "LAMDA" else name.lower()
    return f"\\{name if size == 'SMALL' else name.capitalize()} "


def _sign(char: str) -> str:
    if char in _SIGNS:
        return _SIGNS[char]
    plain = unicodedata.normalize("NFKC", char)
    return plain if plain.isascii() and char not in _OURS else char
