"""Rules for mathematical problems that cannot be asked, or whose answers cannot be checked.

Each was measured on rows read by hand, see docs/curation.md. Common words are no evidence: "figure
8", "improved", a triangle ABCD, numbered conditions.
"""

# ruff: noqa: RUF001 (signs of Chinese texts)

from __future__ import annotations

import re

from srpo.data.candidate import Candidate
from srpo.data.curate.asks import ASK, PROOF, asked_sum, form, letters, statement
from srpo.data.curate.rule import Rule

_EVIDENCE = 160


def _shown(match: re.Match[str] | None) -> str | None:
    """The words that a pattern has found, on one line."""
    return None if match is None else " ".join(match[0].split())[:_EVIDENCE]


# Figures

_DRAWING = re.compile(
    r"\[/?asy\]|\\begin ?\{(?:asy|tikzpicture|pspicture|picture|circuitikz)\}|```(?:asy|tikz)"
)
_PICTURE = r"(?:figure|diagram|picture|illustration|drawing|sketch)s?"
_WHICH = r"(?:the|this|these|a|an|following|accompanying|adjoining|attached|given|provided)"
_REFERENCE = re.compile(
    rf"\b(?:in|on|from|see|by|refer to|using|as in|as) (?:{_WHICH} ){{1,3}}(?:\w+ )?{_PICTURE}\b"
    r"(?! (?:formed|of speech|out))"
    rf"|\b[Ss]ee (?:the )?[Ff]igure\b|\b(?:following|accompanying|adjoining) {_PICTURE}\b"
    rf"|\b[Tt]h(?:e|is) {_PICTURE} (?:\w+ )?(?:shows?|below|above|shown|depicts?|illustrates?"
    rf"|indicates?"
    r"|represents?|consists?|is (?:composed|made|formed|drawn))\b"
    rf"|\b[Tt]he (?:graph|map|chart|bar graph|line graph|pie chart)s? (?:\w+ )?(?:below|above"
    rf"|shows?)\b"
    r"|\b(?:graph|chart|map|table|grid|lattice|path|square|circle|triangle|region|shape"
    r"|polygon)s? "
    r"(?:\S+ ){0,6}(?:is|are) (?:partially )?(?:shown|pictured|depicted|drawn) (?:below|above"
    r"|here|at)"
    r"|\bas (?:is )?(?:shown|pictured|depicted|illustrated|drawn|indicated)(?= ?(?:[,.;:)?]"
    r"|below|above"
    r"|here|at|in|on|and|so|to the|with|\\|\$|$))"
    rf"|\b(?:shown|pictured|depicted|illustrated|indicated|marked) (?:below|above|here"
    rf"|at (?:the )?right"
    rf"|at (?:the )?left|to the (?:right|left)|(?:in|on) (?:{_WHICH} ){{1,2}}(?:\w+ )?{_PICTURE})"
    r"|\b(?:[Tt]he|[Tt]his|[Ee]ach|[Tt]wo|[Aa]n?) (?:\w+ ){1,3}shown(?= (?:in|is|are|has|have"
    r"|with|below)\b"
    r"|[,.?])"
    r"|\bthe shaded (?:\w+ )?(?:region|area|part|portion|figure|square|triangle|pinwheel)s?\b"
    r"|\[img\]|!\[|\[image\]|<image>|\.(?:png|jpe?g|gif)\b"
    r"|如(?:下|右|左|上)?图|(?:下|右|左|附)图|图(?:中|所示)(?![像象])",
    re.I,
)
# What stands in the text itself: a display, a matrix, a table, an example.
_GIVEN = re.compile(
    r"\A[^.?!:\n]{0,100}(?:[:.\n]\s{0,6}(?:\\\[|\$|\\begin|\||`|[-•*\d])|\s{0,4}(?:\\\[|\$\$"
    r"|\\begin))"
)
_TABLE = re.compile(
    r"\\begin ?\{(?:tabular|array|[pbv]?matrix)\}|^\s{0,8}(?:\||[•*-] |\$\\bullet)", re.M
)
_TEXT_SHOWN = re.compile(r"\b(?:below|above|here|shown)\b|\bas (?:indicated|illustrated)", re.I)


def figure_in_code(candidate: Candidate) -> str | None:
    """Problems with a figure that is there as the code of a drawing only."""
    return _shown(_DRAWING.search(candidate.prompt))


def figure_missing(candidate: Candidate) -> str | None:
    """Problems that refer to a figure, and it is not there."""
    prompt = candidate.prompt
    if _DRAWING.search(prompt):
        return None
    for match in _REFERENCE.finditer(prompt):
        if not _is_given(prompt, match):
            return _shown(match)
    return None


def _is_given(prompt: str, match: re.Match[str]) -> bool:
    """Whether what is referred to stands in the text: a table, a list, a shaded part that it
    describes."""
    before, rest = prompt[: match.start()], prompt[match.end() : match.end() + 2000]
    if "shaded" in match[0]:
        return "shaded" in before
    if not _TEXT_SHOWN.search(match[0]):
        return False
    above = before[-2000:] if "above" in match[0] else ""
    return bool(_GIVEN.search(rest) or _TABLE.search(rest) or _TABLE.search(above))


# What is asked


def pure_proof(candidate: Candidate) -> str | None:
    """Problems that ask for a proof alone."""
    proof = PROOF.search(candidate.prompt)
    return _shown(proof) if proof and not ASK.search(candidate.prompt) else None


_ASKED = re.compile(r"\b(?:find|give|provide|compute|determine)\b|请|求|计算", re.I)


def question_lost(candidate: Candidate) -> str | None:
    """Problems whose question is gone: what is left are conditions, or how the answer looks."""
    prompt = candidate.prompt
    left = statement(prompt)
    if left == prompt or ASK.search(left) or PROOF.search(left) or re.search("form|形式", left):
        return None
    asked = len(_ASKED.findall(prompt[len(left) :]))
    return None if asked > 1 else " ".join(left.split())[-_EVIDENCE:]


_PART = re.compile(
    r"(?:^|[\s。；;.,:：，])[(（]?([12ab]|ii?)[)）]\s*(?P<text>[^\n]{1,600}?)"
    r"(?=[(（]?\b(?:[23bc]|ii|iii)[)）]|[(（](?:[23bc]|ii|iii)[)）]|\n|$)",
    re.M,
)
_COMBINED = re.compile(
    r"请|之和|的和|总和|区间两个端点|\b(?:[Pp]lease|[Gg]ive|[Pp]rovide|sum of (?:both|the two|your)"
    r"|both (?:parts|answers)|"
    r"only (?:part|answer)|[Ii]f the answer)\b"
)
_TWO_ASKS = re.compile(
    r"\band (?:also )?(?:find|determine) (?:all|the (?:smallest|largest|formula)|every"
    r"|for which)\b"
    r"|[，,](?:并|且|并且)(?:求出?|确定)(?:该|此|相应)"
)


def multi_part(candidate: Candidate) -> str | None:
    """Problems of several questions, of which the answer can be to one only."""
    prompt = candidate.prompt
    if len(candidate.answer) != 1 or "," in candidate.answer[0]:
        return None
    parts = list(_PART.finditer(prompt))
    asking = [part for part in parts if _asks(part["text"])]
    if len(asking) >= 2:
        after = prompt[asking[-1].start() :]
        return None if _COMBINED.search(after) else _shown(asking[-1])
    found = _TWO_ASKS.search(prompt)
    return _shown(found) if found and statement(prompt) == prompt else None


def _asks(text: str) -> bool:
    return bool(
        re.search(
            r"[?？]|\b(?:[Ff]ind|[Dd]etermine|[Cc]ompute|[Ww]hat|[Hh]ow|[Ww]rite)\b|求(?!证)|多少|几",
            text,
        )
    )


_OPTION = re.compile(  # what may be one, behind the question
    r"[:：,，\n$\\]|\(?\b[A-E][).]|[①②③]|[A-D][.．、]",
)
_CHOICE = re.compile(
    r"\b[Ww]hich (?:one )?of the (?:following|options|choices)\b|\b[Cc]hoose the (?:correct"
    r"|best) (?:answer|option)\b"
    r"|下列.{0,30}(?:正确|错误|成立)的(?:是|为|有)"
)


def choices_missing(candidate: Candidate) -> str | None:
    """Problems that ask to choose among options that are not in the text."""
    prompt = candidate.prompt
    found = _CHOICE.search(prompt)
    if found is None or _OPTION.search(prompt, found.end()) or _PART.search(prompt):
        return None
    return _shown(found)


# The answer

_PROSE = re.compile(r"[^\W\d_]{2,}")
_TEXT = re.compile(r"\\[a-zA-Z]+")


def undecidable_answer(candidate: Candidate) -> str | None:
    """Problems whose answer is prose, which no program can compare."""
    for answer in candidate.answer:
        words = _PROSE.findall(_TEXT.sub(" ", answer))
        if len(words) >= 6 or (len(words) == 0 and len(answer) > 300):
            return answer[:_EVIDENCE]
    return None


_OPEN_FORM = re.compile(  # a^b, m \times n^k, a^{b/c}, C_a^b: one number has several such forms
    r"(?<![a-zA-Z\\])[a-z]\s{0,2}\^\s{0,2}\{?\s{0,2}(?:[a-z](?![a-z])|\\frac\s{0,2}\{[a-z]\})"
    r"|C\s{0,2}[_^]\s{0,2}\{?\s{0,2}[a-z]|\\d?binom\s{0,2}\{[a-z]\}"
)
_FIXED = re.compile(
    r"\b(?:prime|smallest|largest|least|minimal|perfect|square-?free)\b|素数|质数|最小|最大|互质"
)


def unsaid_rewrite(candidate: Candidate) -> str | None:
    """Problems rewritten into a sum of letters that nothing fixes."""
    prompt = candidate.prompt
    asked = asked_sum(prompt)
    if asked is None:
        return None
    wanted, around = asked
    if len(wanted) > 1 and (missing := wanted - letters(around)):
        return f"nothing says what {', '.join(sorted(missing))} is"
    given = form(prompt)
    left = statement(prompt)
    power = _OPEN_FORM.search(given or "")
    if power and letters(power[0]) <= wanted and not _FIXED.search(prompt[len(left) :]):
        return f"one number has several forms {(given or '')[:80]}"
    return None


def answer_in_question(candidate: Candidate) -> str | None:
    """Problems that give their answer away: the form that it has is the answer."""
    given = form(candidate.prompt)
    if given and re.search(r"\d", given) and not letters(given) and "\\" + "binom" not in given:
        return f"the answer is in the form {given[:80]}"
    return None


RULES: tuple[Rule, ...] = (
    figure_in_code,
    figure_missing,
    pure_proof,
    question_lost,
    multi_part,
    choices_missing,
    undecidable_answer,
    answer_in_question,
    unsaid_rewrite,
)
