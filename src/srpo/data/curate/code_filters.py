"""Rules for code: which problems cannot be asked, or whose tests cannot judge an answer.

Those that read what the tests do are in `code_tests`.
"""

from __future__ import annotations

import re
import sys

from srpo.data.candidate import Candidate
from srpo.data.curate.code_tests import (
    imported_modules,
    missing_helper,
    shared_tests,
    tests_digest,
    tests_digests,
    tests_source,
    weak_tests,
)

__all__ = [
    "file_io",
    "image_missing",
    "interactive",
    "many_outputs",
    "missing_helper",
    "needs_network",
    "needs_randomness",
    "shared_tests",
    "special_environment",
    "tests_digest",
    "tests_digests",
    "weak_tests",
]

_EVIDENCE = 160  # characters of the statement that are shown


def _pattern(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


def _found(pattern: re.Pattern[str], text: str) -> str | None:
    """The words that match, in one line."""
    match = pattern.search(text)
    return " ".join(match[0].split())[:_EVIDENCE] if match else None


_LANGUAGES = r"(?:C\+\+(?:\d\d)?|C#|Java|JavaScript|TypeScript|Rust|Ruby|PHP|Haskell|Kotlin|Perl)"
_SPECIAL = _pattern(
    r"\bjupyter\b|\bipython notebook",
    r"\b(?:tkinter|pygame|PyQt\d?|wxPython)\b|\bgraphical user interface\b",
    r"\b(?:create|build|draw|implement|display|write|design)\w*\b[^.\n]{0,40}\bGUI\b",
    r"\b(?:write|create|give|run|execut)\w*\b[^.\n]{0,30}\b(?:SQL|MySQL|PostgreSQL) "
    r"(?:query|quer|statement|command|script)",
    r"\b(?:connect|insert|quer|read|stor|sav|writ)\w*\b[^.\n]{0,40}"
    r"\b(?:SQLite3?|MySQL|PostgreSQL|MongoDB|Redis)\b",
    r"\b(?:connect\w*|connection) to (?:an? |the )?(?:\w+ )?database\b",
    r"\b(?:using|use|with|through) (?:the )?(?:python )?(?:library )?"
    r"(?:numpy|pandas|scipy|sklearn|scikit-learn|matplotlib|seaborn|pytorch|tensorflow|keras"
    r"|opencv|selenium|beautifulsoup|django|flask)\b",
    r"\b(?:numpy|pandas) (?:array|series|data ?frame|librar|package|modul)",
    r"(?<!\bif )\b(?:implement|write|submit|writing|implementing)\b[^.\n]{0,50}"
    rf"\b(?:in|using) {_LANGUAGES}(?!\w|\+)(?! (?:or|and|program|code|source|comment))",
    r"\b(?:C\+\+|Java) (?:only|submissions? only)\b|\bonly (?:in )?(?:C\+\+|Java)(?!\w)",
    r"```(?:cpp|c\+\+|java|rust|csharp|javascript)\b",
    r"^[ \t]*#include[ \t]*<",
)
_SPECIAL = re.compile(_SPECIAL.pattern, re.IGNORECASE | re.MULTILINE)


def special_environment(candidate: Candidate) -> str | None:
    """Problems that need a notebook, a database, a GUI, another language or a library."""
    foreign = sorted(imported_modules(candidate) - sys.stdlib_module_names)
    return f"imports {foreign[0]}" if foreign else _found(_SPECIAL, candidate.prompt)


_KIND = r"(?:(?:csv|json|text|txt|xml|log|binary|excel|input|output|given|local|yaml) ){0,2}"
_FILE = _pattern(
    r"\b(?:input|output)\.txt\b",
    r"\b(?:read|written|write|load|save|stor|print|output|append|pars)\w*\b[^.\n]{0,40}"
    rf"\b(?:from|to|into|in) (?:an? |the )?{_KIND}files?\b(?! ?(?:system|name|path|manager))",
    rf"\b(?:open|read|load|parse|delete|rename|overwrite)s? (?:an? |the )?{_KIND}file\b"
    r"(?! ?(?:system|manager|log))",
    r"\b(?:read|written|write|load|save)\w*\b[^.\n]{0,60}\b[\w-]+\.(?:txt|csv|json|xml|dat)\b",
)
_FILE_CALLS = re.compile(r"(?<![\w.])open\(|\btempfile\.|\bos\.(?:remove|mkdir|makedirs|listdir)\(")


def file_io(candidate: Candidate) -> str | None:
    """Problems whose program reads or writes files, not just standard input and output."""
    return _found(_FILE, candidate.prompt) or _found(_FILE_CALLS, tests_source(candidate))


_WEB = r"(?:web ?sites?|web ?pages?|internet|URLs?|web|https?://\S+|(?:\w+ )?APIs?|web ?servers?)"
_NETWORK = _pattern(
    rf"\b(?:download|fetch|scrape|crawl)\w*\b[^.\n]{{0,50}}\b(?:from|of) (?:an? |the )?{_WEB}"
    r"(?!\w)",
    r"\b(?:send|make|perform|issue)s? (?:an? |the )?(?:\w+ )?(?:HTTP|GET|POST) request",
    rf"(?<!not )(?<!n't )\bconnects? to (?:an? |the )?(?:\w+ )?{_WEB}(?!\w)",
    r"\b(?:call|query|use|using|access)\w* (?:an? |the )?(?:\w+ ){0,2}(?:REST|web|online|HTTP) "
    r"?(?:API|service)\b",
    r"\b(?:open|bind|listen)\w* (?:an? |the )?(?:TCP|UDP|network) (?:socket|connection|port)",
)
_NETWORK_MODULES = frozenset({"requests", "socket", "aiohttp", "httpx", "ftplib", "smtplib"})


def needs_network(candidate: Candidate) -> str | None:
    """Problems whose program has to reach the network."""
    modules = sorted(imported_modules(candidate) & _NETWORK_MODULES)
    return f"imports {modules[0]}" if modules else _found(_NETWORK, candidate.prompt)


_INTERACTIVE = _pattern(
    r"(?<!not )(?<!not an )(?<!non-)\binteractive (?:problem|task|version)",
    r"\bproblem is interactive\b|\binteractor\b",
    r"\bfflush ?\(|\bstdout\.flush\b|\bcout\.flush\b|\bflush\w* (?:the |your )?(?:standard )?"
    r"(?:output|stdout|stream|buffer)",
    r"\bidleness limit\b",
    r"\bTags:\s{0,3}\[[^\]\n]{0,300}'interactive'",
)
_INTERACTION = re.compile(r"^[#* \t]{0,6}Interaction(?: Protocol| Format)?[ \t*:]{0,5}$", re.M)


def interactive(candidate: Candidate) -> str | None:
    """Interactive problems, whose program talks with a judge."""
    prompt = candidate.prompt
    return _found(_INTERACTIVE, prompt) or _found(_INTERACTION, prompt)


_MAKES = r"(?:generat|return|creat|pick|select|choos|produc|shuffl|simulat|print|output)\w{0,4}"
_RANDOM = _pattern(
    r"\b(?:function|program|method|script|code)\b[^.\n]{0,40}?\b(?:to|that|which)\s+(?:\w+\s+)"
    rf"{{0,2}}?{_MAKES}\s+(?:\w+\s+){{0,3}}?random(?:ly)?\b",
    r"(?:^|[.\n] {0,3})(?:generate|return|print|output) (?:an? |the |\d+ )?(?:\w+ ){0,2}random",
    r"\b(?:must|should)\b[^.\n]{0,60}\b(?:equally likely|(?:equal|same) probability)[^.\n]{0,20}"
    r"\b(?:picked|returned|chosen|selected)\b",
    r"\b(?:using|use|with) (?:the )?(?:python's )?random (?:module|library)\b",
)


def needs_randomness(candidate: Candidate) -> str | None:
    """Problems whose right output is random."""
    return _found(_RANDOM, candidate.prompt)


_GIVE = r"(?:print|output|return|report|find|display)(?:ing)?"
_MANY = r"(?:multiple|several|many|more than one)"
_RIGHT = r"(?:valid|correct|possible|suitable|optimal|such|of (?:them|these|those|which))"
_ANY = _pattern(
    rf"\b{_MANY}\b[^.!?]{{0,160}}?[.,;:]?\s+[^.!?]{{0,60}}?\b(?:{_GIVE}|you (?:can|may|should)"
    r" (?:\w+ )?(?:choose|pick|give|use))\s+(?:\w+\s+){0,2}?any\b(?! (?:integer|number)s? [a-z])",
    rf"\b{_MANY} [^.!?]{{0,80}}[.,]?\s+any (?:one )?(?:of|answer|solution)[^.!?]{{0,40}}"
    r"\b(?:accept|correct|allowed|fine)\w*",
    r"(?<!not )(?<!n't )(?<!cannot )(?<!can )(?<!could )(?<!to not )"
    rf"\b{_GIVE} any (?:one )?(?!two\b|more\b|other\b|of the following|(?:integer|number)s? )"
    rf"(?:{_RIGHT}\b|\w+ (?:\w+ )?(?:such|that|of|which|where|for)\b|duplicated\b|\w+\."
    r"|[\w-]+ sequence\b)",
    r"(?<!not )(?<!n't )(?<!cannot )\bfind any (?:such |\w+ )?[\w\"' ]{2,40}"
    r"(?:[.,:]| if they| or (?:report|say|determine))",
    rf"\bany (?:one )?(?:{_RIGHT} ?)?(?:answer|solution|output|one|order|sequence)?\b[^.!?]{{0,70}}"
    r"\b(?:is|are|will be|would be) (?:also )?(?:accepted|acceptable|considered (?:as )?"
    r"(?:correct|valid))\b",
    rf"\b{_GIVE} any (?:one )?of (?:them|these|those)\b",
)
_STEPS = r"(?:rearrang|reorder|concatenat|shuffl|number of|minimum|maximum|whether|true if|times)"
_ORDER = _pattern(
    rf"\b(?:print|output|return|report)(?:ed)?\b(?:(?!{_STEPS})[^.!?;]){{0,120}}?"
    r"\bin (?:any|arbitrary) order\b",
    r"\border (?:of|in) (?:the )?(?:output|answer|result|returned list)\w* (?:does not|doesn't) "
    r"matter",
)
_LENIENT = re.compile(r"\b(?:sorted|set|frozenset|Counter)\((?:\w+\()*\w*\W{0,3}\w*\(?")
# One value, spelt or rounded differently.
_SAME = re.compile(
    r"\bcalculation error\b|\bwithin 10|\b(?:absolute|relative) error|\byes\b|\bin any case\b", re.I
)

_DENIED = re.compile(r"(?:\bnot|n't|\bcannot)\s+$")


def many_outputs(candidate: Candidate) -> str | None:
    """Problems with several right outputs, whose tests compare with one of them."""
    if (candidate.tests or {}).get("type") in ("check", "asserts") and _LENIENT.search(
        tests_source(candidate)
    ):
        return None
    for pattern in (_ANY, _ORDER):
        for match in pattern.finditer(candidate.prompt):
            before = candidate.prompt[max(0, match.start() - 30) : match.start()]
            if not (_SAME.search(match[0]) or _DENIED.search(before)):
                return " ".join(match[0].split())[:_EVIDENCE]
    return None


_EXAMPLES = re.compile(
    r"^[#* \t-]{0,8}(?:Notes?|Examples?|Sample Input|Sample Output|Explanation)(?: ?\d+)?\b[^a-z\n]"
    r"{0,8}$",
    re.M,
)
_PICTURE = r"(?:figure|image|picture|diagram|illustration)s?"
_THING = (
    r"(?:layout|mapping|keyboard|phone pad|keypad|dial pad|order|labell?ed|numbered|arranged|shape"
    r"|placed|pattern|rule|circuit|connected|positions?|defined|formula)"
)
_IMAGE = _pattern(
    r"(?:\bwill be|\bis|\bare|\bequals?|\bequal to|\bby|\bformula|\bfunction|=)\s*:?\s*"
    r"(?:<image>|\[image\]|!\[[^\]\n]{0,80}\]\()",
    rf"\b{_THING}\b(?:(?!example|sample)[^.!?]){{0,70}}\b(?:shown|illustrated|given|depicted|seen|"
    rf"drawn|presented) (?:in|by|on) (?:the )?(?:\w+ )?(?:{_PICTURE})\b",
    rf"\b{_THING} (?:\w+ ){{0,3}}(?:is |are )?(?:as )?shown (?:above|below)\b",
    rf"\bshown in this {_PICTURE}:",
)


def image_missing(candidate: Candidate) -> str | None:
    """Problems that a picture or a formula, which is gone, would have explained."""
    return _found(_IMAGE, _EXAMPLES.split(candidate.prompt, maxsplit=1)[0])
