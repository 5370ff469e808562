"""Links, pictures, HTML and forum tags. Where a picture stood, `[image]` is left, for the rules
that ask whether the problem can do without it."""

from __future__ import annotations

import html
import re

from srpo.data.curate.clean.texts import Mended, outside_verbatim, pieces, prompts, times

IMAGE = "[image]"

_ADDRESS = r"(?:https?://|www\.)[^\s<>()\[\]\"'{}|\\^`$]{1,500}+"
_TARGET = r"(?:https?://|www\.)(?:\\.|[^()\s\\]|(?<=-) |\([^()\s]{0,200}\)){1,2000}"
_PICTURE_FILE = r"\.(?:png|jpe?g|gif|svg|webp|bmp)"
_PICTURE = re.compile(
    r"!\[[^\[\]\n]{0,200}\]\((?=[^()\s]{0,500}?[/.:])[^()\n]{0,2000}\)"  # no factorial
    r"|\[img\b[^\[\]\n]{0,80}\][^\[\]\n]{0,2000}\[/img\]"
    r"|<img\b[^<>\n]{0,2000}>"
    r"|\[\[(?:File|Image):[^\[\]\n]{1,200}\]\]"
    rf"|\[[^\[\]\n]{{1,200}}\]\((?:https?://|www\.)[^()\s]{{1,2000}}{_PICTURE_FILE}\)"
    r"|(?:\bFor (?:the |a )?(?:figure|map|picture|diagram|image)(?: here)?"
    rf"(?:,? (?:go to|see|visit))?:? ){_ADDRESS}",
    re.I,
)
_PICTURE_LINE = re.compile(
    rf"^[ \t]*+(?:[\w.,'()%+&-][\w .,'()%+&-]{{0,80}}{_PICTURE_FILE}"
    rf"|(?:https?://|www\.)[^\s<>\"]{{1,2000}}{_PICTURE_FILE})[ \t]*+$",
    re.I | re.M,
)
_ALONE = re.compile(rf"\A\s*+\[[^\[\]\n]{{1,200}}\]\({_TARGET}\)[ \t]*+\n")
_LINK = re.compile(rf"\[([^\[\]\n]{{1,200}})\]\({_TARGET}\)")
_URL_TAG = re.compile(r"\[url(?:=[^\[\]\n]{0,2000})?\]([^\[\]\n]{0,2000})\[/url\]", re.I)
_BARE = re.compile(
    r"(?:^|(?<=[\n$\])])|(?<=[.?!])(?=\s))[ \t]*+"
    r"(?:(?:Sources?|Links?|AoPS|Taken from|From|See(?: also)?|References?)[ \t]?:?[ \t]?)?"
    rf"[<(\[]?{_ADDRESS}[>)\]]?\.?[ \t]*+(?=\n|\Z)",
    re.I,
)


def _links(text: str) -> Mended:
    counts = {"image": 0, "link": 0}

    def mend(part: str) -> str:
        part, images = _PICTURE.subn(IMAGE, part)
        part, lines = _PICTURE_LINE.subn(IMAGE, part)
        part, links = _LINK.subn(r"\1", part)
        part, tags = _URL_TAG.subn(lambda m: "" if _is_address(m[1]) else m[1], part)
        part, bare = _BARE.subn("", part)
        counts["image"] += images + lines
        counts["link"] += links + tags + bare
        return part

    return _report(outside_verbatim(mend, text), text, counts)


def _is_address(text: str) -> bool:
    return text.strip().lower().startswith(("http://", "https://", "www."))


def _links_of_code(text: str) -> Mended:
    """Addresses stay where they stand: many are input. A link alone in the first line is a song."""
    counts = {"image": 0, "link": 0}

    def mend(part: str) -> str:
        part, counts_images = _PICTURE.subn(IMAGE, part)
        part, links = _LINK.subn(r"\1", part)
        counts["image"] += counts_images
        counts["link"] += links
        return part

    shorter, alone = _ALONE.subn("", text)
    counts["link"] += alone
    return _report(outside_verbatim(mend, shorter), text, counts)


def _report(mended: str, text: str, counts: dict[str, int]) -> Mended:
    if mended == text:
        return text, ""
    verbs = {"image": "marked", "link": "removed"}
    return mended, ", ".join(f"{verbs[kind]} {times(n, kind)}" for kind, n in counts.items() if n)


# Names that LaTeX, where & stands before a column's text, does not have.
_ENTITY = re.compile(
    r"&(?:amp;)*((?:nbsp|lt|gt|amp|quot|apos|le|ge|ne|times|divide|minus|plusmn|middot|deg|pi|ndash"
    r"|mdash|hellip|[lr][sd]quo|sup[123]|frac1[24]|frac34|radic|infin|ang|#\d{1,6}|#x[0-9a-f]{1,5}"
    r");)",
    re.I,
)
_OF_CODE = re.compile(r"&(?:amp;)*((?:lt|gt|amp|quot|nbsp|le|ge|ne|#39);)")
_ABOUT_HTML = re.compile(r"html|xml|entit|escap|\bweb|\burl", re.I)
_SCRIPT = re.compile(r"<(su[pb])>([^<>\n]{1,60})</\1>", re.I)
_BREAK = re.compile(r"<br\s{0,3}/?>|</p>|</div>|</li>", re.I)
_PAIRS = "b i u p em strong center div span font small big ul ol li"
_TAG = re.compile(rf"<(/?)({_PAIRS.replace(' ', '|')})(?:\s[^<>\n]{{0,200}})?>", re.I)


def _html(text: str) -> Mended:
    if "<" not in text and "&" not in text:
        return text, ""

    def mend(part: str) -> str:
        part = _SCRIPT.sub(_script, _ENTITY.sub(lambda m: html.unescape("&" + m[1]), part))
        part = _without_pairs(_TAG, part)
        return _BREAK.sub("\n", part)

    mended = outside_verbatim(mend, text)
    return (mended, "removed HTML") if mended != text else (text, "")


def _html_of_code(text: str) -> Mended:
    """Tags stay, which may be input; entities too where the problem speaks of them."""
    mended = text
    if "&" in text and not _ABOUT_HTML.search(text):
        mended = _OF_CODE.sub(lambda m: html.unescape("&" + m[1]), mended)
    if "<su" in text:
        mended = outside_verbatim(lambda part: _SCRIPT.sub(_script, part), mended)
    return (mended, "removed HTML") if mended != text else (text, "")


def _script(match: re.Match[str]) -> str:
    mark, inner = "^" if match[1].lower() == "sup" else "_", match[2]
    return mark + (inner if len(inner) == 1 else "{" + inner + "}")


_FORUM = re.compile(
    r"\[(/?)(b|i|u|s|center|hide|quote|size|color|list|left|right|code|tex|latex|font|highlight)"
    r"(?:=[^\[\]\n]{0,60})?\]",
    re.I,
)


_ITEM = re.compile(r"(?:^|(?<=\s))\[\*\] ?", re.M)


def _item(match: re.Match[str]) -> str:
    return "- " if match.string[match.start() - 1 : match.start()] in ("", "\n") else "\n- "


def _forum_tags(text: str) -> Mended:
    if "[/" not in text:
        return text, ""
    mended = _without_pairs(_FORUM, text)
    if mended != text:
        mended = _ITEM.sub(_item, mended)
    return (mended, "removed forum tags") if mended != text else (text, "")


def _without_pairs(pattern: re.Pattern[str], text: str) -> str:
    """Tags that are closed go, and what closes them: `A[i]` is an item of a list, `a<b>c` a
    comparison. Group 1 of the pattern is the slash, 2 the name."""
    drop: list[tuple[int, int]] = []
    opened: dict[str, list[tuple[int, int]]] = {}
    place = 0
    for verbatim, part in pieces(text):
        for match in () if verbatim else pattern.finditer(part):
            span = place + match.start(), place + match.end()
            same = opened.setdefault(match[2].lower(), [])
            if not match[1]:
                same.append(span)
            elif same:
                drop += [same.pop(), span]
        place += len(part)
    kept, end = [], 0
    for start, stop in sorted(drop):
        kept.append(text[end:start])
        end = stop
    return "".join(kept) + text[end:]


links = prompts("links", _links, _links_of_code)
html_markup = prompts("html_markup", _html, _html_of_code)
forum_tags = prompts("forum_tags", _forum_tags)
