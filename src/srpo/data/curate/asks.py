"""What a mathematical statement asks for, found by its verbs; and how its answer was rewritten.

Sets for reinforcement learning want numbers for answers, and many of their rows were rewritten:
"the original answer is in the form m/n, please give the value of m + n".
"""

# ruff: noqa: RUF001 (signs of Chinese texts)

from __future__ import annotations

import re

# Where a sentence asks for something that can be compared, and not for a proof.
ASK = re.compile(
    r"\?|？|\b(?:[Ff]ind|[Dd]etermine|[Cc]ompute|[Cc]alculate|[Ee]valuate|[Ww]hat|[Hh]ow|[Ww]hich"
    r"|[Ww]hen"
    r"|[Ww]ho|[Ww]here|[Gg]ive|[Ee]xpress|[Ss]implify|[Ss]olve|[Ff]actor|[Cc]onvert|[Nn]ame"
    r"|[Ll]ist|[Ww]rite"
    r"|[Ee]stimate|[Rr]ound|[Aa]dd|[Ss]ubtract|[Dd]ivide|[Mm]ultiply|[Ee]xpand|[Ee]nter"
    r"|[Dd]ecide|[Cc]ount"
    r"|[Pp]rovide|[Ii]dentify|[Ss]elect|[Cc]hoose|[Cc]onstruct|[Bb]uild|[Pp]lace|[Ss]tate"
    r"|[Rr]ationalize"
    r"|[Ss]how your|[Oo]btain|[Ff]ill|[Cc]omplete|[Dd]escribe|[Pp]ut|[Tt]ell|[Dd]ivided by"
    r"|is equal to|equals)\b"
    r"|求(?!证)|计算|多少|几|试(?:问|确定|给)|确定|写出|给出|输出|则|是否|等于|_{2,}|\\_|\\qquad|\\underline|(?:为|是|的"
    r"|值)\W*$"
    r"|\\\[ ?\\?\s*$|= ?\\?\]?\W*$",
    re.M,
)
PROOF = re.compile(
    r"\b(?:[Pp]rove|[Ss]how|[Dd]emonstrate|[Vv]erify|[Jj]ustify|[Ee]xplain) (?:that|why"
    r"|the following"
    r"|the (?:identity|inequality|equality)|there|\$)|\b[Pp]rove\b|[试求]?证(?:明)|求证"
)
# The sentences that were put behind a statement: what follows is of the rewriting alone.
_REWRITING = re.compile(
    r"(?<!If )(?<!and )(?<!that )\b[Tt]he (?:original |standard "
    r"|final )?(?:form of the )?answer (?:format )?"
    r"(?:is|can be|should be) (?:\w+ ){0,3}?(?:form|format)\b|\b[Tt]he (?:original"
    r"|standard) (?:form of the )?answer\b(?! (?:for|of|to|that))"
    r"|(?:已知|该|标准|最终|若|假设|以|题目|其)?(?:原始|标准)的?答案|答案的?(?:标准)?(?:形式|格式)"
)
_FORM = re.compile(
    r"(?:[Tt]he (?:original |standard "
    r"|final )?(?:form of the )?answer (?:format )?is (?:\w+ ){0,3}?(?:in|of)"
    r" (?:the |a )?(?:special )?(?:form(?:at)? )?(?:of )?(?:a function )?"
    r"|standard (?:answer )?form(?:at)?"
    r"(?: of the answer)? is "
    r"|(?:原始|标准)?的?答案(?:的)?(?:标准)?(?:形式|格式)?(?:为|是|形如|分别为|：)?)"
    r"\s{0,3}(?P<form>\$[^$]{1,200}\$|\\\(.{1,200}?\\\)|\S[^,，。.;；请的格\n]{0,120})"
)
_LETTERS = re.compile(r"(?<![a-zA-Z\\])[a-zA-Z]{1,3}(?![a-zA-Z])")  # ax + b; short words, too
_FUNCTION = re.compile(r"\\(?:log|ln|sin|cos|tan|exp|sqrt|frac|pi)")
_COMMAND = re.compile(r"\\[a-zA-Z]+")
_SUM = re.compile(  # m + n, k+m+n, m + n + a +b
    r"(?<![a-zA-Z\\^_{(])([a-zA-Z](?:\s{0,3}\+\s{0,3}[a-zA-Z]){1,8})(?![a-zA-Z^_({\d])"
)


_REQUEST = re.compile(
    r"\b(?:value|[Ff]ind|[Gg]ive|[Pp]rovide|[Cc]ompute|sum|is)\b|求|给出|计算|提供"
)


def statement(prompt: str) -> str:
    """The question without the sentences of a rewriting at its end."""
    found = _REWRITING.search(prompt)
    return prompt[: found.start()] if found else prompt


def form(prompt: str) -> str | None:
    """The form that the answer is said to have, `\\frac{m}{n}`."""
    found = _FORM.search(prompt)
    return found["form"].strip("$ ") if found else None


def letters(formula: str) -> set[str]:
    """The variables of a formula, and letters that may be: those of words of up to three."""
    plain = _COMMAND.sub(" ", _FUNCTION.sub(" ", formula))
    return {letter for word in _LETTERS.findall(plain) for letter in word}


def asked_sum(prompt: str) -> tuple[set[str], str] | None:
    """The letters whose sum is asked for at the end, and the text around; None where none is."""
    found = list(_SUM.finditer(prompt, max(0, len(prompt) - 120)))
    last = found[-1] if found else None
    if last is None or not _REQUEST.search(prompt[max(0, last.start() - 40) : last.start()]):
        return None
    return letters(last[1]), prompt[: last.start()] + prompt[last.end() :]
