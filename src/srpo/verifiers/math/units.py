"""The unit behind a value: `5 \\text{ cm}`, `5 eggs/day`, `204_7`, `18th`.

What would change the value ("5 million", "5 squared", "5i") is no unit and stays in the value.
"""

from __future__ import annotations

import re

_BASED = re.compile(r"(-?[0-9A-Fa-f]*\d[0-9A-Fa-f]*)_(?:(\d)|\{(\d+)\})")
_ORDINAL = re.compile(r'(\d+)\s*\^?\s*\{?\s*"?\s*(?:st|nd|rd|th)\s*"?\s*\}?')
_TEXT = re.compile(r'\s*"([^"]*[a-zA-Z][^"]*)"((?:\^-?\d|\^\{-?\d+\})?)\s*')
_PER = re.compile(r'(.*[^\s_^{(])\s*\\frac\{\s*("[^"]*")\s*\}\{\s*("[^"]*")\s*\}', re.S)
_BARE = re.compile(
    r"(-?\d[\d.,/]*|-?\\frac\{\d+\}\{\d+\})(\s*)"
    r"(?:\(([a-zA-Z]{3,})\)|([a-zA-Z]+(?:[ /][a-zA-Z]+){0,3})(\^[23])?)"
)
_TRIGONOMETRY = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)")
_CHANGES_VALUE = re.compile(
    r"\b(?:or|and|not|but|if|where|when|unless|plus|minus|times(?!\s*$)|over|choose|negative"
    # scales
    r"|(?:hundred|thousand|(?:m|b|tr|quadr|quint|sext|sept)illion|milliard|billiard|crore|cr"
    r"|lakh|lac|myriad|googol|dozen|tenth|(?:hundred|thousand|(?:m|b|tr)illion)th)s?|tens|bn|mil|mio"
    r"|gross|(?<![a-zA-Z] )score|kilo|mega|giga|tera|per ?mille|ppm|ppb|bps|basis|wan|yi"
    # fractions and ordinals
    r"|hal(?:f|ves)|(?:third|quarter|fourth|fifth|sixth|seventh|eighth|ninth|eleventh|twelfth"
    r"|\w+teenth|\w+tieth)s?"
    # operations
    r"|(?<![a-zA-Z] )(?:squared|cubed)|factorial|doubled?|tripled?|quadrupled?|quintupled?|halved"
    r"|quartered|twice|thrice|\w*fold|negated|inverted|inverse|reciprocal|opposite|conjugate"
    r"|complement|modulo|mod|multiplied|divided|raised|increased|decreased|reduced|lowered|added"
    r"|subtracted|powers? of|to the|(?:square|cube|cubic|\w+th) roots?|roots? of|remainder"
    r"|recurring|repeating|imaginary"
    # bounds
    r"|less|more|fewer|least|most|minimum|maximum|max|bound(?:ed)?|greater|higher|lower|larger"
    r"|smaller|bigger|exceed\w*|beyond|above|below|under|upwards?|up|almost|nearly|otherwise"
    r"|except|excluding|without|ignoring|absolute|magnitude|sign|other than|than"
    # other numbers
    r"|zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen"
    r"|(?:twen|thir|for|fif|six|seven|eigh|nine)ty|pi|sin|cos|tan|log|ln|exp|sqrt|inf|infinit\w+"
    r"|binary|ternary|octal|hex(?:adecimal)?|bce?)\b"
    r"|(?<!base )\d|[-+*=<>!|\\^_](?![a-zA-Z])|(?<![a-zA-Z])[-+*=<>!|\\^_]|‰",
    re.I,
)
_LETTER = re.compile(r"(?<![a-zA-Z'])(?!a [a-z]{2})[a-zA-Z](?!['.]?[a-zA-Z])")
_LETTERS = set("mgshlLNJVW")
_SHORT = {
    "cm", "mm", "km", "m", "kg", "mg", "lb", "lbs", "ft", "in", "mph", "ml", "hr", "min", "oz",
}  # fmt: skip
_POWER = {"square": "square", "cube": "cubic"}
_SAME = {
    "foot": "feet", "ft": "feet", "inch": "inches", "in": "inches", "meter": "m", "metre": "m",
    "centimeter": "cm", "kilometer": "km", "millimeter": "mm", "degree": "°", "deg": "°",
    "percent": "%", "percentage": "%", "pct": "%", "sq": "square", "gram": "g", "kilogram": "kg",
    "buck": "dollar", "unit": "", "usd": "dollar", "hr": "hour", "lb": "pound", "lbs": "pound",
    "second": "s", "sec": "s", "minute": "min", "metres": "m", "foots": "feet",
}  # fmt: skip


def split_unit(text: str) -> tuple[str, str]:
    """The value and its unit, "" when there is none, of a normalised scalar."""
    text = text.strip()
    if based := _BASED.fullmatch(text):
        return based[1], f"base {based[2] or based[3]}"
    if ordinal := _ORDINAL.fullmatch(text):
        return ordinal[1], ""
    if text.endswith("%"):
        return text[:-1].strip(), "%"
    if text.endswith("^\\circ") and not _TRIGONOMETRY.search(text):
        return text[:-6].strip(), "°"
    if per := _PER.fullmatch(text):
        above, below = per[2].strip('"'), per[3].strip('"')
        if is_unit(above) and is_unit(below):
            return per[1], unit_name(f"{above}/{below}")
    return _quoted_unit(text) or _bare_unit(text) or (text, "")


def is_unit(words: str, degrees: bool = False) -> bool:
    """Whether words after a value leave it as it is; `degrees`: a ° stands before them."""
    letters = _LETTERS | set("CFK") if degrees else _LETTERS
    return not _CHANGES_VALUE.search(words) and set(_LETTER.findall(words)) <= letters


def unit_name(unit: str) -> str:
    """Plurals, the usual abbreviations and exponents in one spelling."""
    unit = re.sub(r"[.()~]", " ", re.sub(r"[{}]", "", unit.lower()))
    unit = re.sub(r"\s*/\s*|\s+per\s+", " / ", unit)
    unit = re.sub(r"(.+) (square|cube)d", lambda m: f"{_POWER[m[2]]} {m[1]}", unit)
    power = "square " if "^2" in unit else "cubic " if "^3" in unit else ""
    words = (power + re.sub(r"\^-?\d+", "", unit)).replace("cu ", "cubic ").split()
    singular = (
        word if word in _SAME or len(word) == 1 else word.removesuffix("s") for word in words
    )
    names = (_SAME.get(word, word) for word in singular)
    return " ".join(name for name in names if name)


def _quoted_unit(text: str) -> tuple[str, str] | None:
    units: list[str] = []
    printed = ""  # mil and lion side by side
    while text.endswith('"') or (text[-2:-1] == "^" and '"' in text):
        start = text.rfind('"', 0, text.rfind('"'))
        match = _TEXT.fullmatch(text, start) if start > 0 else None
        before = text[:start].strip()
        if not match or before[-1:] in "_^" or not is_unit(match[1], before.endswith("^\\circ")):
            break
        units.insert(0, match[1] + match[2])
        printed = match[1] + printed
        text = before
    if not units or not is_unit(printed, degrees=text.endswith("^\\circ")):
        return None
    if text.endswith("%"):
        return text[:-1].strip(), "%"  # 20% more
    if text.endswith("^\\circ"):
        text, units = text[:-6].strip(), ["degrees", *units]
    if text.endswith("/") and text[:-1].rstrip().endswith('"'):  # "miles"/"hour"
        value, unit = _quoted_unit(text[:-1].rstrip()) or (text, "")
        return (value, f"{unit} / {unit_name(' '.join(units))}") if unit else None
    return text, unit_name(" ".join(units))


def _bare_unit(text: str) -> tuple[str, str] | None:
    """Unmarked words after a number. A lone letter is a variable, but for 5 m and 5 m/s."""
    bare = _BARE.fullmatch(text)
    if not bare:
        return None
    name, power = bare[3] or bare[4], bare[5] or ""
    words = re.split(r"[ /]", name)
    first, spaced = words[0], bool(bare[2] or bare[3] or power)
    known = all(len(word) > 2 or word in _SHORT | {"s", "h"} for word in words)
    rate = "/" in name and spaced and known
    if not is_unit(name) or not (rate or first in _SHORT or all(len(word) > 2 for word in words)):
        return None
    if spaced or len(first) > 3 or first in _SHORT - {"m", "in", "min"}:
        return bare[1], unit_name(name + power)
    return None
