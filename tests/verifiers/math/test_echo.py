"""Questions given back as answers, and prompts of any size and shape."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.verifiers.math.answer import unwrap
from srpo.verifiers.math.echo import repeats
from srpo.verifiers.math.form import unevaluated

numbers = st.integers(2, 10**6)


@pytest.mark.parametrize(
    "template",
    ["Factor ${}$.", "Factor $$y = {}$$", r"\({}\), where", r"\[{} = 0\]", "Expand {}.",
     "We add {}",
     r"\begin{{align*}} a &= b \\ y &= {}. \end{{align*}}", "For $5 or \\$6: ${}, 7$ is it"],
)  # fmt: skip
@given(a=numbers, b=numbers)
def test_a_formula_of_the_prompt(template: str, a: int, b: int) -> None:
    formula = f"{a}x^2 - {b}"
    prompt = template.format(formula)
    for answer in (formula, formula.replace(" ", ""), f"y = {formula}", f"({formula})"):
        assert repeats(prompt, ["gold"], answer)
        assert not repeats(prompt, [formula], answer)
    assert not repeats(prompt, ["gold"], f"{a}x^2 - {b + 1}")
    assert not repeats(prompt, ["gold"], str(a))


@given(a=numbers, b=numbers)
def test_numbers_and_computations(a: int, b: int) -> None:
    gold = str(a)
    for number in (
        f"{a}",
        f"{a * b}/{b}",
        f"\\frac{{{a * b}}}{{{b}}}",
        f"\\sqrt{{{a * a}}}",
        f"{a}^{{1}}",
        f"-{a}",
        f"{a}.5",
        f"2\\sqrt{{{b}}}",
        f"{a} \\cdot 10^{{5}}",
    ):
        assert not unevaluated(gold, number)
    for computation in (
        f"{a}+{b}",
        f"{a}-{b}",
        f"{a}({b})",
        f"{a} \\cdot {b}",
        f"{a}!",
        f"|{a}|",
        f"\\sin {a}",
        f"\\frac{{{a}+{b}}}{{2}}",
        f"{a}x",
        f"2^{{{a}-{b}}}",
    ):
        assert unevaluated(gold, computation)
        assert not unevaluated("x^2", computation)


@given(depth=st.integers(0, 300), inner=st.sampled_from(["5", "x + (1)", "(a)(b)", "1, 2", ""]))
def test_redundant_brackets(depth: int, inner: str) -> None:
    once = unwrap(f"({inner})")
    assert unwrap("(" * depth + f"({inner})" + ")" * depth) == once


@pytest.mark.parametrize(
    "piece",
    ["$x+1$ ", "$", "\\(", "{", "(", "x=1,", "Compute ", " ", "\\frac{", "a & b \\\\ ", "-", "$(((",
     "\\text{", "$x,x,x$", "\\begin{align}", '"', "="],
)  # fmt: skip
def test_a_hundred_thousand_characters(piece: str) -> None:
    prompt = (piece * 100_000)[:100_000]
    start = time.monotonic()
    assert not repeats(prompt, ["(t-7)(t+7)"], "t^2-49+0y")
    assert time.monotonic() - start < 3  # a few hundredths when the machine has time
