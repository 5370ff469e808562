"""Which language a question is in: by its script first, by function words in long prose only.

Statistical identification calls 4 to 5% of English mathematics foreign, whose words are names and
variables; so what is short and in Latin script is English, or of an unknown language where it has
no English word.
"""

from __future__ import annotations

import re

from srpo.verifiers.language.function_words import count
from srpo.verifiers.language.prose import prose

LONG = 12  # words of prose from which function words are counted
_SCRIPTS = {
    "ja": re.compile(r"[\u3041-\u30ff]"),
    "ko": re.compile(r"[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]"),
    "zh": re.compile(r"[\u3400-\u9fff\uf900-\ufaff]"),
    "ru": re.compile(r"[\u0400-\u052f]"),
    "ar": re.compile(r"[\u0600-\u06ff]"),
    "he": re.compile(r"[\u0590-\u05ff]"),
    "hi": re.compile(r"[\u0900-\u097f]"),
    "th": re.compile(r"[\u0e00-\u0e7f]"),
    "el": re.compile(r"[\u0370-\u03ff]{3,}"),
}
_WEIGHT = {"ja": 4, "ko": 3, "zh": 4}  # Latin letters that one of these stands for
_LATIN = re.compile(r"[a-zà-öø-ɏ]+(?:'[a-z]+)?", re.IGNORECASE)


def language_of(text: str) -> str:
    """A code of ISO 639-1: `en` for prose in Latin script that shows no other language."""
    writing = prose(text).lower()
    words = _LATIN.findall(writing)
    latin = sum(map(len, words))
    for code, script in _SCRIPTS.items():
        amount = sum(map(len, script.findall(writing))) * _WEIGHT.get(code, 1)
        if amount > latin or (code == "ja" and amount and _is_zh(writing, latin)):
            return _cyrillic(writing) if code == "ru" else code
    return _latin(words)


def _is_zh(writing: str, latin: int) -> bool:
    return 4 * len(_SCRIPTS["zh"].findall(writing)) > latin


def _cyrillic(writing: str) -> str:
    found = count(re.findall(r"[\u0400-\u052f]+", writing))
    return max(found, key=lambda code: found[code]) if found else "ru"


def _latin(words: list[str]) -> str:
    if len(words) < LONG:
        return "en"
    found = count(words)
    if not found:
        return "en"
    best = max(found, key=lambda code: found[code])
    return best if found[best] >= 3 and found[best] > 1.5 * found["en"] else "en"
