"""Characters in one form: mojibake mended, composed letters, plain blanks, nothing invisible."""

from __future__ import annotations

import importlib
import re
import unicodedata
from functools import cache
from typing import Any

from srpo.data.curate.clean.texts import Mended, all_texts
from srpo.types import UserError


@cache
def _ftfy() -> tuple[Any, Any]:
    """The library, and its options: only what was decoded by a wrong encoding is mended. Curly
    quotes, ligatures, full-width forms and entities are what the author wrote, or another
    cleaner's; a lossy sequence cannot be mended, only hidden."""
    try:
        ftfy = importlib.import_module("ftfy")
    except ImportError as error:
        raise UserError("curating needs the package ftfy: pip install 'srpo[data]'") from error
    options = ftfy.TextFixerConfig(
        unescape_html=False,
        remove_terminal_escapes=False,
        replace_lossy_sequences=False,
        fix_c1_controls=False,
        fix_latin_ligatures=False,
        fix_character_width=False,
        uncurl_quotes=False,
        fix_line_breaks=False,
        fix_surrogates=False,
        remove_control_chars=False,
        normalization=None,
        explain=False,
    )
    return ftfy, options


# Control characters of Latin-1 as Windows-1252 has them, which ftfy always takes them for.
_ALONE = {code: bytes([code]).decode("cp1252", "ignore") or chr(code) for code in range(0x80, 0xA0)}


def _decoded(text: str) -> Mended:
    if text.isascii():
        return text, ""
    ftfy, options = _ftfy()
    mended = ftfy.fix_text(text, options)
    if mended == text.translate(_ALONE):  # these are no halves of letters
        return text, ""
    return (mended, "mojibake mended") if mended != text else (text, "")


_SURROGATE = re.compile("[\ud800-\udfff]")
_BLANK = "\u00a0\u1680\u2000-\u200a\u202f\u205f"
_OF_CODE = re.compile(f"[{_BLANK}]")  # wide blanks may be in a sample
_OF_MATH = re.compile(f"[{_BLANK}\u2800]")
_WIDE = "\u3000"  # as wide as two: a row of them is a gap to be filled
_LINE = re.compile("[\u2028\u2029]")
# Zero-width blank, word joiner and invisible operators, byte order mark, soft hyphen, marks of
# direction. Joiners between letters of other scripts, and in emoji, belong there.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"
    "|(?<![\u0590-\U0010ffff])[\u200c\u200d]"
)
_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"}
)
_WIDE_DOLLAR = "＄"  # noqa: RUF001  stands for the sign of money within $...$
_BRAILLE_LINE = re.compile("^[ \t]*+\u2800[ \t]*+$", re.M)


def _of_code(text: str) -> Mended:
    """Letters stay as they are: what a sample shows is what the program has to print."""
    if text.isascii():
        return text, ""
    mended = _visible(_BRAILLE_LINE.sub("", _OF_CODE.sub(" ", text)))
    return (mended, "blanks and invisible characters made plain") if mended != text else (text, "")


def _of_math(text: str) -> Mended:
    """NFC, not NFKC: superscripts and full-width forms carry meaning."""
    if text.isascii():
        return text, ""
    visible = _visible(_OF_MATH.sub(" ", text).replace(_WIDE, "  "))
    mended = unicodedata.normalize("NFC", visible).translate(_LIGATURES)
    mended = mended.replace(_WIDE_DOLLAR, r"\$")
    if mended == text:
        return text, ""
    what = "characters in one form" if mended != visible else ""
    blanks = "blanks and invisible characters made plain" if visible != text else ""
    return mended, ", ".join(filter(None, (blanks, what)))


def _visible(text: str) -> str:
    if _SURROGATE.search(text):  # pairs are joined, halves are nothing
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "ignore")
    return _INVISIBLE.sub("", _LINE.sub("\n", text))


mojibake = all_texts("mojibake", math=_decoded, code=_decoded)
unicode_form = all_texts("unicode_form", math=_of_math, code=_of_code)
