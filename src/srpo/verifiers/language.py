"""The language-mixing penalty, first version: by writing system.

It sees a response that leaves the prompt's script (Chinese inside English). It does not see
languages that share one (Spanish inside English), nor Chinese inside Japanese.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache

MIXED_SHARE = 0.05  # more foreign writing than this is mixing ...
MIXED_LETTERS = 8  # ... if it is also at least this much (in letters; a Han one counts as four)
_DENSE = 4  # a Han, kana or hangul letter carries about as much as four alphabetic ones

_NOT_PROSE = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|\$\$.*?\$\$|\$[^$\n]*\$|\\\[.*?\\\]|\\\(.*?\\\)|\\[a-zA-Z]+",
    re.DOTALL,
)
_WORD = re.compile(r"[^\W\d_]+")
_EAST_ASIAN = {"CJK", "HIRAGANA", "KATAKANA"}
_SCRIPTS = {"LATIN", "CYRILLIC", "ARABIC", "HEBREW", "DEVANAGARI", "HANGUL", "THAI", "BENGALI"}


def foreign_share(prompt: str, text: str) -> tuple[float, int]:
    """(share, amount) of the response's writing in another script than the prompt's main one.

    Share is 0..1, amount in letters. Code, LaTeX, words that the prompt has too, single
    alphabetic letters (variables) and Greek (mathematics) do not count. A prompt without
    letters has the response's own main script.
    """
    known = set(_WORD.findall(prompt))
    counts = _amounts(word for word in _prose(text) if word not in known)
    main = _main(_amounts(_prose(prompt))) or _main(counts)
    total = counts.total()
    foreign = total - counts[main] if main else 0
    return (foreign / total if total else 0.0), foreign


def mixed(prompt: str, text: str) -> bool:
    """Whether more than MIXED_SHARE of the response, and MIXED_LETTERS at least, is foreign."""
    share, amount = foreign_share(prompt, text)
    return share > MIXED_SHARE and amount >= MIXED_LETTERS


def _prose(text: str) -> list[str]:
    return _WORD.findall(_NOT_PROSE.sub(" ", text))


def _amounts(words) -> Counter[str]:
    counts: Counter[str] = Counter()
    for word in words:
        scripts = Counter(script for script in map(_script, word) if script)
        for script, letters in scripts.items():
            if script in ("EAST ASIAN", "HANGUL"):
                counts[script] += letters * _DENSE
            elif letters > 1:
                counts[script] += letters
    return counts


def _main(counts: Counter[str]) -> str:
    """The most frequent script; ties by name, so that it is always the same."""
    return max(sorted(counts), key=counts.__getitem__) if counts else ""


@lru_cache(maxsize=16384)
def _script(letter: str) -> str:
    first = unicodedata.name(letter, "").split(" ")[0]
    return "EAST ASIAN" if first in _EAST_ASIAN else first if first in _SCRIPTS else ""
