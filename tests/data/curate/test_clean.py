"""The cleaners, on texts written for this test."""

# ruff: noqa: RUF001

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srpo.data.candidate import Candidate
from srpo.data.curate.clean import CLEANERS, clean
from srpo.data.curate.clean.texts import MathSpans

CLEANER = {cleaner.__name__: cleaner for cleaner in CLEANERS}


def math(prompt: str) -> Candidate:
    return Candidate("made_up", 0, "math", prompt, answer=("1",))


def code(prompt: str) -> Candidate:
    tests = {"type": "stdin", "cases": [{"input": "\t\f", "output": "\u200b"}]}
    return Candidate("made_up", 0, "code", prompt, tests=tests, reference="print('\f\t')\r\n")


@pytest.mark.parametrize(
    ("dirty", "tidy", "change"),
    [
        ("Is it \frac{m}{n}?", r"Is it \frac{m}{n}?", r"restored \frac x1"),
        ("$\frac12+\frac{3}{4}$", r"$\frac12+\frac{3}{4}$", r"restored \frac x2"),
        ("$2 \times \theta$", r"$2 \times \theta$", r"restored \theta x1, \times x1"),
        ("$\tan x = \text{ no }$", r"$\tan x = \text{ no }$", r"restored \tan x1, \text x1"),
        ("$\x08eta+\x08ar{x}$", r"$\beta+\bar{x}$", r"restored \bar x1, \beta x1"),
        ("$\x07lpha \x0bec{v}$", r"$\alpha \vec{v}$", r"restored \alpha x1, \vec x1"),
        ("$\\left(x\right)$", r"$\left(x\right)$", r"restored \right x1"),
        ("$a \neq b$", r"$a \neq b$", r"restored \neq x1"),
        ("$m=\f\\frac{p}{q}$", r"$m=\frac{p}{q}$", "removed control characters"),
        ("All numbers satis\fes it.", "All numbers satisfies it.", "restored fi x1"),
        ("A di\x0bfference is fi\fve.", "A difference is five.", "removed control characters"),
        ("Find\r\nit.", "Find\nit.", "line ends made newlines"),
        ("It\x92s 5.", "It’s 5.", "removed control characters"),
        ("The cafÃ© sells 5.", "The café sells 5.", "mojibake mended"),
        ("Itâ€™s 5.", "It’s 5.", "mojibake mended"),
        ("cafe\u0301 5", "café 5", "characters in one form"),
        ("ﬁve ＄5", r"five \$5", "characters in one form"),
        ("a\u00a0b\u200bc\ufeff\u00ad\u202e", "a bc", "blanks and invisible characters made plain"),
        ("集合\\n$$\\nA=1", "集合\n$$\nA=1", r"made written \n to line ends"),
        ("Use $$$n$$$ and $$$m$$$.", "Use $n$ and $m$.", "made $$$ to $"),
        ("See [a page](https://x.org/a_(b)).", "See a page.", "removed a link"),
        ("Find it.\n![d](https://x.org/a)", "Find it.\n[image]", "marked an image"),
        ("Find it.\n[img]http://x.org/a.png[/img]", "Find it.\n[image]", "marked an image"),
        ("Find it.\n\n1994 AIME Problem 2.png", "Find it.\n\n[image]", "marked an image"),
        ("Find it. For the map go to http://x.org/p", "Find it. [image]", "marked an image"),
        ("Find it.\nSource: https://x.org/p?q=1", "Find it.", "removed a link"),
        ("x<sup>2</sup> &lt; <b>5</b><br>y", "x^2 < 5\ny", "removed HTML"),
        ("x<sub>10</sub>&nbsp;&amp;lt; 5", "x_{10} < 5", "removed HTML"),
        ("An [i]odd [/i] one, A[i].", "An odd one, A[i].", "removed forum tags"),
        ("[list]\n[*] a\n[*] b\n[/list]", "- a\n- b", "removed forum tags"),
        ("[list][*] a [*] b[/list]", "- a\n- b", "removed forum tags"),
        ("[asy]\n a  b[/asy] \t Find", "[asy]\n a  b[/asy] Find", "tidied blanks"),
        ("Compute $|c-a|$.The answer is 5.", "Compute $|c-a|$. The answer is 5.", "parted"),
        ("Let $x=1.$Find $y$.", "Let $x=1.$ Find $y$.", "parted glued sentences"),
        ("Find it?\n\n[i]Proposed by A. Bee[/i]", "Find it?", "removed a credit"),
        ("Find it. #*The answer is 5.", "Find it. The answer is 5.", "removed the mark"),
        (
            "Find $k$. Translate the above text into English, please keep the original text's line"
            " breaks and format, and output the translation result directly.",
            "Find $k$.",
            "removed a remark on translation",
        ),
        ("Find it. Let's think step by step.", "Find it.", "removed an instruction"),
        (
            "Find it.\nPlease reason step by step, and put your final answer within \\boxed{}.",
            "Find it.",
            "removed an instruction",
        ),
        ("Problem 3. Find it.", "Find it.", "removed heading 'Problem 3.'"),
        ("**Problem Statement:**\n\nFind it.", "Find it.", "heading '**Problem Statement:**'"),
        (r"\textbf{Problem 5.} Find it.", "Find it.", "removed heading"),
        ("Example 5 Find it.", "Find it.", "removed heading 'Example 5'"),
        ("Problem 7-1 (40 points) Find it.", "Find it.", "removed heading"),
        ("12. In a box there are 3.", "In a box there are 3.", "removed heading '12.'"),
        ("2. (CZS 4) Find it.", "Find it.", "removed heading '2.', '(CZS 4)'"),
        ("[10A] Find it.", "Find it.", "removed heading '[10A]'"),
        ("Find it. (HMMT 2009)", "Find it.", "removed heading '(HMMT 2009)'"),
        ("Find it. (5 points)", "Find it.", "removed heading '(5 points)'"),
        ("例3 已知 $x=1$。", "已知 $x=1$。", "removed heading '例3'"),
        ("1. (本题满分20分) 设 $x=1$。", "设 $x=1$。", "removed heading '1.', '(本题满分20分)'"),
        ("（2019年全国联赛）设 $x=1$。", "设 $x=1$。", "removed heading"),
        ("Find  $x$. \n\n\n\nNow.\t ", "Find $x$.\n\nNow.", "tidied blanks"),
    ],
)
def test_mends(dirty: str, tidy: str, change: str) -> None:
    cleaned = clean(math(dirty))
    assert cleaned.prompt == tidy
    assert any(change in line for line in cleaned.changes)


@pytest.mark.parametrize(
    "text",
    [
        "A $5$ and the other $6$ cost €3, ≤ 7, x², “so”, naïve Pål: ½ ①.",
        "已知 $x+y=3$，求 $x^2$ 的值（结果用整数表示）：",
        "选法共           种。",
        r"Given $x \neq y$, $\nu$, $\nabla f$, $a \ni b$ and \(\not\in\).",
        r"Let $$j(x)=1,$$$$k(x)=2.$$",
        r"Let $[a, b](a, b \in \mathbf{Z})$ and $A[i]$, $\sqrt[b]{2}$, $[I]=5$.",
        r"If $a<b>c<d>e$ and $0<i> x$, then AT&T; is $1 &lt$.",
        "Problem 3 of the contest is worth 5 points. Find its weight.",
        "Problems $8, 9$ and $10$ use the data.",
        "On a test, Question 1 is worth 1 point. How many (in points)?",
        "A star has five tips (5 points)",
        "1. It is odd.\n2. It is prime.\nFind it.",
        "4.5 gallons of coffee were divided.",
        "(a) Find it. (b) Find $a+b$.",
        "In 2009, HMMT (a contest) had 5 rounds. How many in 2010?",
        "一、二两班共有 5 人。",
        "It is $5![x](y)$ (5 points)",
        "第3题答对的人有 5 个。",
        r"In which $\quad a \ b$, and $x\ $",
        "Lets think: step by step he walks 5 m.",
        "[asy]\n\tdraw((0,0)--(1,1));  // [i] http://x.org/a.png\n[/asy]",
        "A file system has [image] 5 notes; translate the point to English units.",
        "He was born at 5 p.m. The U.S. A. has e.g. 5.",
    ],
)
def test_leaves(text: str) -> None:
    assert clean(math(text)) == math(text)


@pytest.mark.parametrize(
    "text",
    [
        *("\tLet it be.", "A.\t67", "She can\tan apple", "to\to", "equal\tequal", "$5\n= u$"),
        *(
            "It is\nequal.\night falls",
            "$a$\neq",
            "$a\text b$",
            "f\f\\frac",
            "An\rangle",
            "The first\rfloor",
        ),
    ],
)
def test_control_characters_that_are_no_commands(text: str) -> None:
    assert CLEANER["eaten_commands"](math(text)) == math(text)


def test_wide_blanks_stay_a_gap() -> None:
    assert clean(math("共\u3000\u3000种，\u3000则")).prompt == "共    种， 则"


@pytest.mark.parametrize(
    "text",
    [
        "Print it.\n\nInput\n\n3\n  1   2\n\n\n\n4 \t\n\n```python\nif x:\n\ty = 1\n```\nDone.",
        'If s[i] is "\\n" and words[i] is <b>bold</b>, print [b] [/b].',
        "The entity is &quot; and &gt; of HTML.",
        "Is https://x.org/a.png valid? Return is_valid('http://www.x.org').",
        "1. Read a. Problem 3. is easy.The end.",
        "Example 5\n\n$a$$b$  (5 points)",
        "e\u0301 and \u3000 are letters.",
    ],
)
def test_leaves_code(text: str) -> None:
    assert clean(code(text)) == code(text)


@pytest.mark.parametrize(
    ("dirty", "tidy"),
    [
        ("\nAdd.\r\n\r\n1  2 \r\n\n", "Add.\n\n1  2 "),
        ("Add.\n\nTags:\n['dp', 'math']\n\nTime Limit: 1 s", "Add.\n\nTime Limit: 1 s"),
        (
            "This is hard. You can make hacks only if all are solved.\n\nAdd.",
            "This is hard.\n\nAdd.",
        ),
        ("[Song](https://s.org/a- b)\n\n\u2800\n\nAdd [x](http://y.org/p).", "Add x."),
        ("Add\u00a0x\u200b.", "Add x."),
        ("Is it shown:\n![](CDN/x)", "Is it shown:\n[image]"),
    ],
)
def test_mends_code(dirty: str, tidy: str) -> None:
    cleaned = clean(code(dirty))
    assert cleaned.prompt == tidy
    assert cleaned.changes
    assert (cleaned.tests, cleaned.reference) == (code("").tests, code("").reference)


def test_tags_of_interactive_problems_stay() -> None:
    text = "Ask.\n\nTags:\n['interactive', 'math']"
    assert clean(code(text)) == code(text)


def test_other_texts() -> None:
    dirty = replace(
        math("Find it."),
        answer=("\frac{1}{2}", "2\u00a0"),
        solution="It is \f5.  ",
        system="Be\r\nbrief.",
    )
    cleaned = clean(dirty)
    assert cleaned.answer == (r"\frac{1}{2}", "2 ")
    assert cleaned.solution == "It is 5.  "
    assert cleaned.system == "Be\nbrief."
    assert cleaned.changes == (
        r"answer: restored \frac x1",
        "solution: removed control characters",
        "system: line ends made newlines",
        "answer: blanks and invisible characters made plain",
    )


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("a$b$c", "b"),
        (r"a\(b\)c", "b"),
        (r"a\[b$$c\]d", "b$$c"),
        ("a$$b$c$$d", "b$c"),
        ("a$b$$c$d", "bc"),
        (r"cost \$5 or $x$", "x"),
        ("cost $5\n\nor $x$", "x"),
        (r"a\\[2pt]b", ""),
        (r"\begin{a}b\begin{c}d\end{c}\end{a}e", r"a}b\begin{c}d\end{c}"),
    ],
)
def test_math_spans(text: str, inside: str) -> None:
    spans = MathSpans(text)
    assert "".join(c for i, c in enumerate(text) if spans.inside(i)) == inside


HOSTILE = [
    *("(", "[", "<", "$", "\f", "\t", "\n", " ", "\\", "*", "&amp;", "[i]", "</i>", "<b>", "\r"),
    *("\\n", "\\begin{", "[asy]", "```", "![", "[a](", "[img]", "\frac", "\times ", "$$$", "Ã©"),
    *(
        "a.png ",
        "1. ",
        "(5 points) ",
        "Problem 3. ",
        "www.",
        "?www.a",
        ". www.",
        "http://a",
        "\u00a0",
        "a.The ",
        "#*",
    ),
    *("translate the given text ", "You can hack ", "\nProposed by A", " \n", "<sup>", "\ud800"),
    *(
        "Let's think step by step. ",
        "[a](http://a",
        "For map http://a ",
        "\nTags: [",
        "一、",
        "\u0301",
    ),
]


@pytest.mark.parametrize("unit", HOSTILE)
def test_linear(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    for candidate in (math(text), code(text)):
        start = time.process_time()
        clean(candidate)
        assert time.process_time() - start < 2  # quadratic ones take minutes


PIECES = st.sampled_from(
    [
        *("Find $x$", "the sum of $a_1 + 2b$", "is \\(\\frac{1}{7}\\)", "\\[y = 3.\\]", "12 boxes"),
        *("A[i]", "a<b>c", "5 points", "in 2009", "(x, y)", "f(3)", "for $n \\neq 4$.", "其中"),
        *("[asy] draw((0,0)); [/asy]", "What is it?", "Problem 8", "\\$5", "$10", "x & y;"),
    ]
)
STATEMENTS = st.lists(PIECES, min_size=2, max_size=8).map(lambda parts: "Let " + " ".join(parts))
BEFORE = st.sampled_from(
    ["", "Problem 3. ", "**Problem 7.** ", "12. ", "(HMMT 2009) ", "[b]", "\ufeff", " \n\n", "例3 "]
)
AFTER = st.sampled_from(
    [
        *("", "[/b]", " Let's think step by step.", "\nSource: https://x.org/4", "\n\n\n", "\f"),
        *("\n\n[i]Proposed by A. Bee[/i]", "\n[img]https://x.org/9.png[/img]", "\u200b \u00a0"),
    ]
)


def content(text: str) -> str:
    """Letters and digits, without the mark of an image and what is a heading on purpose."""
    return re.sub(r"\W", "", text.replace("[image]", "").replace("[b]", "").replace("[/b]", ""))


@settings(max_examples=150, deadline=None)
@given(BEFORE, STATEMENTS, AFTER, st.booleans())
def test_nothing_of_the_problem_is_lost(before: str, text: str, after: str, plain: bool) -> None:
    cleaned = clean(math(text + " ." if plain else before + text + " ." + after))
    assert content(cleaned.prompt) == content(text)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from(HOSTILE) | PIECES | BEFORE | AFTER | st.text(max_size=3), max_size=12),
    st.sampled_from([math, code]),
)
def test_what_is_clean_stays(parts: list[str], make: object) -> None:
    once = clean((math if make is math else code)("".join(parts)))
    again = clean(once)
    assert again == once
    assert len(set(once.changes)) == len(once.changes)


@settings(max_examples=100, deadline=None)
@given(st.text())
def test_any_text(text: str) -> None:
    for make in (math, code):
        cleaned = clean(make(text))
        cleaned.prompt.encode()  # no half of a pair is left
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", cleaned.prompt)
        assert (cleaned.prompt != text) == bool(cleaned.changes)
