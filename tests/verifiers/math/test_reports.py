"""Kinds of wrong verdicts that users of math verifiers have reported, each with its near misses.

The policy's page has an example of each; here are random ones.
"""

# ruff: noqa: RUF001  # characters that look like others are what this is about

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Iterator
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srpo.types import Outcome, Problem
from srpo.verifiers.math.answer import Kind, choice_letter, read
from srpo.verifiers.math.characters import to_latex
from srpo.verifiers.math.compare import ExactLeaves, equivalent
from srpo.verifiers.math.echo import repeats, without_asked
from srpo.verifiers.math.estimate import surely_different, surely_other_relation, value
from srpo.verifiers.math.extract import extract_answer
from srpo.verifiers.math.latex import canonical, normalise
from srpo.verifiers.math.lines import join_lines
from srpo.verifiers.math.numbers import equal_numbers, parse_number
from srpo.verifiers.math.symbolic import SympyLeaves, equal_constants, parse
from srpo.verifiers.math.units import is_unit
from srpo.verifiers.math.verifier import MathVerifier

exponents = st.integers(80, 900)
small = st.integers(2, 99)
letters = st.sampled_from("abcghkmnpqrstuvwxyz")
sympy_leaves = SympyLeaves(6)


@pytest.fixture(scope="module")
def verifier() -> Iterator[MathVerifier]:
    verifier = MathVerifier(workers=1, time_limit_s=5.0)
    yield verifier
    verifier.close()


def graded(verifier: MathVerifier, gold: str, answer: str, prompt: str = "") -> bool:
    verdict = verifier(Problem("p", "math", prompt, answer=gold), f"\\boxed{{{answer}}}")
    assert verdict.outcome is not Outcome.ERROR, verdict
    return verdict.outcome is Outcome.CORRECT


# --- exact numbers


@settings(deadline=None, max_examples=40)
@given(base=small, exponent=exponents, more=st.integers(1, 99))
def test_large_powers_are_exact(base: int, exponent: int, more: int) -> None:
    power = f"{base}^{{{exponent}}}"
    assert sympy_leaves.scalars(f"{power}+{more}", f"{more}+{power}")
    assert sympy_leaves.scalars(str(base**exponent + more), f"{power}+{more}")
    for near in (power, f"{power}-{more}", f"{power}+{more + 1}", str(base**exponent)):
        assert not sympy_leaves.scalars(f"{power}+{more}", near)
    assert not sympy_leaves.scalars(f"x+{power}", f"x+{power}+{more}")
    square = base ** (exponent // 8)  # sympy looks for factors of what is under the root
    assert not sympy_leaves.scalars(f"\\sqrt{{{square**2 + more}}}", str(square))
    assert not sympy_leaves.scalars(f"\\frac{{{more}}}{{{power}}}", "0")
    assert not sympy_leaves.scalars(f"1+e^{{-{exponent}}}", "1")


@settings(deadline=None, max_examples=20)
@given(number=st.integers(25, 120))
def test_factorials_are_exact(number: int) -> None:
    assert sympy_leaves.scalars(f"{number}!", f"{number} \\cdot {number - 1}!")
    assert sympy_leaves.scalars(f"{number}!", str(math.factorial(number)))
    for near in (f"{number}!+1", f"{number}!-1", str(math.factorial(number) + 1)):
        assert not sympy_leaves.scalars(f"{number}!", near)


@settings(deadline=None, max_examples=30)
@given(a=st.integers(2, 60), b=st.integers(2, 60))
def test_equal_irrational_constants(a: int, b: int) -> None:
    nested = f"\\sqrt{{{a + b}+2\\sqrt{{{a * b}}}}}"
    assert sympy_leaves.scalars(nested, f"\\sqrt{{{a}}}+\\sqrt{{{b}}}")
    assert not sympy_leaves.scalars(nested, f"\\sqrt{{{a}}}+\\sqrt{{{b}}}+10^{{-60}}")
    assert equal_constants(parse(f"\\sqrt{{{a}}}\\sqrt{{{b}}}"), parse(f"\\sqrt{{{a * b}}}"))


# --- decimals of six digits


@given(above=st.integers(1, 10**6), below=st.integers(2, 10**4))
def test_decimals_round_or_cut(above: int, below: int) -> None:
    value = Fraction(above, below)
    if value.denominator == 1:
        return
    gold = f"\\frac{{{above}}}{{{below}}}"
    places = 8
    cut = Fraction(math.floor(value * 10**places), 10**places)
    rounded = Fraction(round(value * 10**places), 10**places)
    for decimal in (cut, rounded, cut - Fraction(1, 10**places), rounded + Fraction(1, 10**places)):
        text = f"{decimal.numerator * (10**places // decimal.denominator):09d}"
        text = f"{text[:-places]}.{text[-places:]}"
        digits = len(text.replace(".", "").lstrip("0"))
        equal = decimal == value or (decimal in (cut, rounded) and digits >= 6)
        assert equal_numbers(gold, text) is equal, text


# --- assignments


@pytest.mark.parametrize(
    "between",
    ["\n", " \\\\ ", " \\quad ", "\\qquad ", " ", "\\ ", "\\;", ", \\quad ", "\\hspace{1cm}"],
)
def test_assignments_on_lines_are_a_set(verifier: MathVerifier, between: str) -> None:
    a, b, c = random.sample(range(2, 90), 3)
    gold = f"u = {a}, v = {b}"
    written = f"u = {a}{between}v = {b}"
    assert graded(verifier, gold, written)
    assert graded(verifier, written, f"v={b}, u={a}")
    for near in (f"u = {c}{between}v = {b}", f"u = {a}{between}v = {c}", f"v = {b}"):
        assert not graded(verifier, gold, near)
        assert not graded(verifier, written, near)
    assert not graded(verifier, str(b), written)


@pytest.mark.parametrize("environment", ["cases", "aligned", "array}{l", "gathered"])
def test_systems_are_a_set(verifier: MathVerifier, environment: str) -> None:
    name = environment.split("}")[0]
    system = f"\\left\\{{\\begin{{{environment}}} u=4 \\\\ v=9 \\end{{{name}}}\\right."
    assert graded(verifier, system, "u=4, v=9")
    for near in ("u=9, v=4", "u=4", "9", "u=4, v=9, w=1"):
        assert not graded(verifier, system, near)


def test_a_piecewise_function_is_no_system() -> None:
    piecewise = "\\begin{cases} x^2 & x>0 \\\\ 1 & x \\le 0 \\end{cases}"
    assert join_lines(piecewise) == piecewise


@given(a=small, b=small, one=letters, other=letters, join=st.sampled_from([",", " or ", " and "]))
def test_a_name_before_a_list(a: int, b: int, one: str, other: str, join: str) -> None:
    if one == other or a == b:
        return
    gold = f"{one}={a}{join}{b}"
    values = read(gold)
    assert values.kind is Kind.LIST
    exact = ExactLeaves(6)
    for same in (f"{one}={b}{join}{a}", f"{a}, {b}", f"{one}={a}, {one}={b}"):
        assert equivalent(gold, same, exact) is True
    for near in (f"{other}={a}{join}{b}", f"{other}={a}, {other}={b}", f"{one}={a}"):
        assert equivalent(gold, near, exact) is not True


# --- multiple choice and units


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("(G) 4", "G"), ('"(G)"', "G"), ('"(G) "4', "G"), ('"G. fast"', "G"), ('"G: 4"', "G"),
        ('"G) 4"', "G"), ('"Option G"', "G"), ('"(G) A list of things"', "G"), ("G", "G"),
        ("(G) or H", None), ('"(G) or H"', None), ('"(G), H"', None), ('"(G) and (H)"', None),
        ('"(G) 4 or (H) 5"', None), ('"(G)/(H)"', None), ('"(G) H"', None), ('"(G)"+1', None),
        ('"(G)"-1', None), ("(G)^2", None), ("(G)4", None), ("4G", None), ("-G", None),
        ('"(G) perhaps H"', None), ('"(g) 4"', None), ('"G = 4"', None), ('"G or H"', None),
    ],
)  # fmt: skip
def test_options_with_their_text(text: str, letter: str | None) -> None:
    assert choice_letter(text) == letter


@pytest.mark.parametrize(
    "words",
    [
        "lakhs", "crores", "dozens", "gross", "quadrillion", "doubled", "quadrupled", "halved",
        "thrice", "fold", "at least", "at most", "or more", "or less", "up to sign", "no more than",
        "up to rotation", "to the fourth", "square roots", "reciprocal", "inverse", "elevenths",
        "nineteenths", "thirtieths", "modulo nine", "in absolute value", "exceeded", "per mille",
        "and a quarter", "below", "million people", "hexadecimal", "or so", "not",
    ],
)  # fmt: skip
def test_words_that_change_a_value(words: str) -> None:
    assert not is_unit(words)


@pytest.mark.parametrize(
    "words",
    ["roots", "pairs", "cups", "ducks", "square inches", "cm squared", "kilometers per hour",
     "test score", "different groups", "stop signs", "socks left", "years old", "cubic feet"],
)  # fmt: skip
def test_units_that_look_like_them(words: str) -> None:
    assert is_unit(words)


# --- what is marked


@pytest.mark.parametrize("number", ["86", "-8.6", "8,600", "\\frac{8}{6}", "8/6"])
@pytest.mark.parametrize("after", ["$.", " is it", ".", "", "\\) so", "\n8"])
def test_a_box_without_braces(number: str, after: str) -> None:
    assert extract_answer(f"so we get $\\boxed {number}{after}") == number


def test_a_box_without_braces_hides_nothing() -> None:
    assert extract_answer("\\boxed 8 + 6$") == "8 + 6"
    assert extract_answer("\\boxed 8 or 6$") == "8 or 6"
    assert extract_answer("\\boxed{8} and then \\boxed 6") == "6"
    assert extract_answer("\\boxed{8} is in a \\boxed a") == "8"


@pytest.mark.parametrize(
    "mark", ["\\text{{Final Answer: }} {}", "The final answer is {}", "\\text{{The answer is }}{}",
             "#### {}", "<answer>{}</answer>", "\\boxed{{{}}}", "w = \\fbox{{{}}}"]
)  # fmt: skip
def test_marks_inside_a_box(verifier: MathVerifier, mark: str) -> None:
    number = random.randrange(10, 99)
    assert graded(verifier, str(number), mark.format(number))
    assert not graded(verifier, str(number), mark.format(f"{number}+1"))
    assert not graded(verifier, str(number), mark.format(number + 1))


@pytest.mark.parametrize("heading", ["Check", "Verification of 7", "3. Check", "Step 7: it holds"])
def test_headings_after_the_answer(heading: str) -> None:
    for answer in ("So \\boxed{62}.", "The answer is 62.", "#### 62"):
        assert extract_answer(f"{answer}\n\n#### {heading}\nIt is right.") == "62"


@pytest.mark.parametrize(
    "heading", ["#### Final Answer", "## Answer:", "**Final Answer**", "# The answer"]
)
def test_answers_under_a_heading(heading: str) -> None:
    assert extract_answer(f"Work.\n\n{heading}\n\n$62$\n") == "$62$"
    assert extract_answer(f"\\boxed{{61}}\n{heading}\nIt was shown that 62 is odd.") == "61"


@given(st.text(alphabet="παβγ√∞≤²½x1+", min_size=1, max_size=12).filter(str.strip))
def test_json_escapes(text: str) -> None:
    assert extract_answer(json.dumps({"answer": text})) == text.strip()


def test_json_without_escapes() -> None:
    for command in ("frac{1}{2}", "neq 3", "nu", "times 3", "to 3", "theta", "beta", "rho", "rm d"):
        assert extract_answer(f'{{"answer": "x \\{command}"}}') == f"x \\{command}"
    assert extract_answer('{"answer": "u=4\\nv=9"}') == "u=4\nv=9"


def test_thinking_that_never_ends() -> None:
    assert extract_answer("<think>It is \\boxed{62}. Wait") is None
    assert extract_answer("<think>It is \\boxed{61}.</think> \\boxed{62}") == "62"
    assert extract_answer("It is \\boxed{61}.</think> \\boxed{62}") == "62"


@pytest.mark.parametrize(
    ("sentence", "answer"),
    [
        ("The area of the larger disc is 8/9.", "8/9"),
        ("The roots are 8 and 9", "8 and 9"),
        ("The answer is not 8", "The answer is not 8"),
        ("It is 8 or 9", "It is 8 or 9"),
        ("It is false that it is 8", "It is false that it is 8"),
        ("5 is less than what is 8", "5 is less than what is 8"),
    ],
)
def test_a_sentence_in_the_answer_tag(sentence: str, answer: str) -> None:
    assert extract_answer(f"<answer> {sentence} </answer>") == answer


# --- spellings


@given(digits=st.text(alphabet="0123456789", min_size=1, max_size=6), start=small)
def test_dots_over_a_period(digits: str, start: int) -> None:
    exact = parse_number(f"{start}.\\overline{{{digits}}}")
    one = len(digits) == 1
    dotted = f"\\dot{{{digits[0]}}}" + ("" if one else f"{digits[1:-1]}\\dot{{{digits[-1]}}}")
    assert exact is not None
    assert parse_number(f"{start}.{dotted}") == exact
    assert parse_number(f"{start}.\\bar{{{digits}}}") == exact
    assert exact[0] == start + Fraction(int(digits), 10 ** len(digits) - 1)


@given(st.integers(0, 10**9), st.sampled_from("٠०０𝟎𝟘"))
def test_digits_of_other_scripts(number: int, zero: str) -> None:
    assert to_latex("".join(chr(ord(zero) + int(digit)) for digit in str(number))) == str(number)


@pytest.mark.parametrize(
    ("unicode", "latex"),
    [
     ("√13", "\\sqrt{13}"), ("3√7", "3\\sqrt{7}"), ("√(a)", "\\sqrt{a}"), ("∛9", "\\sqrt[3]{9}"),
     ("a¹⁴", "a^{14}"), ("a₁₄", "a_{14}"), ("10⁻³", "10^{-3}"), ("¾", "\\frac{3}{4}"),
     ("α+Ω", "\\alpha+\\Omega"), ("5∈ℤ", "5\\in\\mathbb{Z}"), ("g″", "g''"), ("ＡＢ", "AB"),
     ("é", "é"), ("πr²", "\\pi r^2")],
)  # fmt: skip
def test_unicode(unicode: str, latex: str) -> None:
    assert canonical(normalise(unicode)) == canonical(normalise(latex))


def test_primes_cost_nothing(verifier: MathVerifier) -> None:
    start = time.process_time()
    for gold, near in (("B''", "B'"), ("B'''", "B''"), ("2g''(x)", "g''(x)"), ("(PQ)''", "(PQ)'")):
        assert not graded(verifier, gold, near)
        assert graded(verifier, gold, gold.replace("'", "^{\\prime}", 1))
    assert graded(verifier, "g''+g'", "g'+g''")
    assert time.process_time() - start < 2  # of this process: what the worker took is its limit


def test_minutes_and_seconds_of_an_angle(verifier: MathVerifier) -> None:
    gold = "8^{\\circ} 5^{\\prime} 9^{\\prime \\prime}"
    for same in ("8^\\circ 5' 9''", "8° 5′ 9″", "8^\\circ 5'9\""):
        assert graded(verifier, gold, same)
    for near in ("8^\\circ 5' 8''", "8^\\circ 4' 9''", "8^\\circ", "8^\\circ 59'"):
        assert not graded(verifier, gold, near)


@pytest.mark.parametrize(
    ("series", "closed", "near"),
    [
        ("\\sum_{k=0}^{\\infty} (k+1)(k+2)u^k", "\\frac{2}{(1-u)^3}", "\\frac{2}{(1-u)^2}"),
        ("\\sum_{k=0}^{\\infty} (-1)^k u^{2k}", "\\frac{1}{1+u^2}", "\\frac{1}{1-u^2}"),
        ("\\sum_{k=0}^{\\infty} \\frac{u^k}{k!}", "e^u", "e^{-u}"),
        ("\\sum_{k=1}^{\\infty} k u^k", "\\frac{u}{(1-u)^2}", "\\frac{u}{1-u}"),
        ("\\sum_{k=1}^{\\infty} \\frac{1}{k^2}", "\\frac{\\pi^2}{6}", "\\frac{\\pi^2}{8}"),
    ],
)
def test_infinite_series(verifier: MathVerifier, series: str, closed: str, near: str) -> None:
    assert graded(verifier, series, closed)
    assert not graded(verifier, series, near)
    assert not graded(verifier, series, "0")


# --- sets


@pytest.mark.parametrize("name", ["x", "t"])
def test_spellings_of_a_set(verifier: MathVerifier, name: str) -> None:
    a, b = sorted(random.sample(range(-40, 40), 2))
    x = name
    half_open = [
        f"[{a}, {b})",
        f"\\{{{x} \\mid {a} \\le {x} < {b}\\}}",
        f"\\{{{x} \\in \\mathbb{{R}} : {b} > {x} \\geq {a}\\}}",
        f"{a} \\le {x} < {b}",
    ]
    without = [
        f"(-\\infty, {a}) \\cup ({a}, {b}) \\cup ({b}, \\infty)",
        f"{x} \\ne {b}, {a}",
        f"\\mathbb{{R}} \\setminus \\{{{a}, {b}\\}}",
        f"{x} \\ne {a} \\text{{ and }} {x} \\neq {b}",
        f"\\{{{x} \\mid {x} \\ne {a}, {x} \\neq {b}\\}}",
    ]
    near = [
        f"({a}, {b})",
        f"\\{{{x} \\mid {a} < {x} < {b}\\}}",
        f"[{a}, {b + 1})",
        f"\\{{{x} \\in \\mathbb{{Z}} : {a} \\le {x} < {b}\\}}",
        f"{x} \\ne {a}",
        f"\\mathbb{{R}} \\setminus \\{{{a}, {b + 1}\\}}",
        f"\\{{{a}, {b}\\}}",
    ]
    for spellings in (half_open, without):
        for gold in spellings:
            for same in spellings:
                assert graded(verifier, gold, same), (gold, same)
            for other in near:
                assert not graded(verifier, gold, other), (gold, other)


# --- the question


@given(a=small, b=small, name=letters)
def test_what_the_question_asks_for(a: int, b: int, name: str) -> None:
    asked = f"{name}^{b} + {a}"
    for prompt in (f"Find ${asked}$.", f"So compute \\({asked}\\), please.",
                   f"What is the value of ${asked}?$", f"Determine {asked}."):  # fmt: skip
        assert without_asked(prompt, f"{asked} = 2 + 3 = 5") == " 2 + 3 = 5"
        for other in (f"{name}^{b} - {a} = 5", f"2({asked}) = 5", f"{name}^{b} = 5"):
            assert without_asked(prompt, other) == other
    given_only = f"Solve ${asked} = 5$, then find $z$."
    assert without_asked(given_only, f"{asked} = 5") == f"{asked} = 5"


@given(a=small, b=st.integers(2, 9), c=st.integers(100, 999))
def test_options_of_the_question(a: int, b: int, c: int) -> None:
    option, gold = f"{a}/{2**b}", f"{a / 2**b}"
    for prompt in (
        f"Which is closest to 1: {option}, {c} or 7/9?",
        f"Which is it? (a) {option} (b) {c}",
    ):
        assert not repeats(prompt, [gold], option)
    for prompt in (f"Write {option} as a decimal.",
                   f"Write {option}, {c} as decimals. Which is it?",
                   f"Round {option}, {c} to the nearest tenth."):  # fmt: skip
        assert repeats(prompt, [gold], option)


# --- speed without a loss


@settings(max_examples=200)
@given(a=small, b=small, c=st.integers(2, 9), name=letters)
def test_a_refutation_is_never_wrong(a: int, b: int, c: int, name: str) -> None:
    for left, right in (
        (f"({name}+{a})({name}+{b})", f"{name}^2+{a + b}{name}+{a * b}"),
        (f"\\sin {c}{name}\\cos {name}", f"\\cos {name} \\sin({c}{name})"),
        (f"\\log_{c} {name}", f"\\frac{{\\ln {name}}}{{\\ln {c}}}"),
        (f"\\cos^{c} {name}", f"(\\cos {name})^{c}"),
        (f"\\binom{{{a}}}{{1}}", str(a)),
        (f"{c}!", str(math.factorial(c))),
        (f"|{name}-{a}|", f"|{a}-{name}|"),
        (f"{a}\\frac{{1}}{{{b}}}", f"\\frac{{{a * b + 1}}}{{{b}}}"),
        (f"\\sec {name}", f"\\frac{{1}}{{\\cos {name}}}"),
    ):
        assert not surely_different(left, right)
        assert surely_different(left, f"{right}+1") or "frac" in left
    line = [f"{a}{name}+{b}w", str(c)]
    assert not surely_other_relation(line, [f"{a * c}{name}", f"{c * c}-{b * c}w"])
    if abs(value(line[0], 1) - value(line[0], 2)) > 0.01:  # else the two tries are as good as one
        assert surely_other_relation(line, [line[0], str(c + 1)])
