"""Which language a question is in: by its script first, by function words in long prose only.

Statistical identification calls 4 to 5% of English mathematics foreign, whose words are names and
variables; so what is short and in Latin script is English.
"""

from __future__ import annotations

import re

from srpo.verifiers.language.function_words import count
from srpo.verifiers.language.mixing import (
    KANA,
    Token,
    largest,
    letters_by_script,
    tokens_of,
)
from srpo.verifiers.language.prose import prose

LONG = 12  # words of prose from which function words are counted
_BY_SCRIPT = {
    "HANGUL": "ko",
    "CYRILLIC": "ru",
    "ARABIC": "ar",
    "HEBREW": "he",
    "DEVANAGARI": "hi",
    "THAI": "th",
    "BENGALI": "bn",
    "TAMIL": "ta",
    "TELUGU": "te",
    "GEORGIAN": "ka",
    "ARMENIAN": "hy",
    "GUJARATI": "gu",
    "GURMUKHI": "pa",
    "KANNADA": "kn",
    "MALAYALAM": "ml",
    "KHMER": "km",
    "ETHIOPIC": "am",
}
_GREEK = re.compile(r"[\u0370-\u03ff]{3,}")  # fewer letters are variables


def language_of(text: str) -> str:
    """A code of ISO 639-1: `en` for prose in Latin script that shows no other language."""
    writing = prose(text).lower()
    tokens = list(tokens_of(writing))
    amounts = letters_by_script(tokens)
    script = largest(amounts)
    if sum(map(len, _GREEK.findall(writing))) > amounts[script]:
        return "el"
    if script == "CJK":
        return "ja" if any(s == "CJK" and KANA.search(word) for s, word in tokens) else "zh"
    if script == "CYRILLIC":
        return largest(count(_words(tokens, script))) or "ru"
    return _BY_SCRIPT.get(script) or _latin(_words(tokens, "LATIN"))


def _words(tokens: list[Token], script: str) -> list[str]:
    return [word for found, word in tokens if found == script]


def _latin(words: list[str]) -> str:
    if len(words) < LONG:
        return "en"
    found = count(words)
    best = largest(found)
    return best if found[best] >= 3 and found[best] > 1.5 * found["en"] else "en"
