"""Which block of a response is the program."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from srpo.verifiers.code.blocks import extract_code, fenced_blocks

F = "def f():\n    return 1\n"
PROGRAM = f"```python\n{F}```\n"

# A response, and whether its program is F, when tests ask for f; else the program.
RESPONSES: dict[str, tuple[str, str | None]] = {
    "alone": (PROGRAM, F),
    "an untagged block of output after it": (f"{PROGRAM}\nOutput:\n\n```\n1\n```\n", F),
    "a tagged block of output after it": (f"{PROGRAM}\n```text\n1\n```\n", F),
    "a usage example after it": (f"{PROGRAM}\nUsage:\n```python\nprint(f())\n```\n", F),
    "a usage example before it": (f"```python\nprint(f())\n```\n{PROGRAM}", F),
    "a usage example that imports it": (f"{PROGRAM}```py\nfrom a import f\nf()\n```\n", F),
    "a test of it after it": (
        f"{PROGRAM}```python\ndef test_f():\n    assert f() == 1\n```\n", F,
    ),
    "a draft before it": (f"```python\ndef f():\n    return 2\n```\nBetter:\n{PROGRAM}", F),
    "a shell command after it": (f"{PROGRAM}```bash\npython f.py\n```\n", F),
    "untagged": (f"```\n{F}```\n", F),
    "untagged, with output": (f"```\n{F}```\nprints\n```\n1\n```\n", F),
    "in another language": (f"```cpp\n{F}```\n", None),
    "tildes": (f"~~~python\n{F}~~~\n", F),
    "tildes around backticks": (f"~~~python\n{F}# ```\n```\n~~~\n", F + "# ```\n```\n"),
    "backticks around tildes": (f"```python\n{F}'''\n~~~\n'''\n```\n", F + "'''\n~~~\n'''\n"),
    "in a list": ("1. Code:\n\n    ```python\n    def f():\n        return 1\n    ```\n", F),
    "on a list's mark": ("- ```python\n  def f():\n      return 1\n  ```\n", F),
    "on a numbered mark": ("2. ```python\n   def f():\n       return 1\n   ```\n", F),
    "in a list, less indented": ("   ```python\ndef f():\n    return 1\n```\n", F),
    "indented by tabs": ("\t```python\n\tdef f():\n\t    return 1\n\t```\n", F),
    "in a quotation": ("> ```python\n> def f():\n>     return 1\n> ```\n", F),
    "an attribute": (f'```python title="a.py"\n{F}```\n', F),
    "braces": (f"```{{.python .numberLines}}\n{F}```\n", F),
    "a file's name": (f"```python:f.py\n{F}```\n", F),
    "a version": (f"```Python3.11\n{F}```\n", F),
    "space before the language": (f"```  py \n{F}```\n", F),
    "after thinking with a draft": (f"<think>```python\nf = 2\n```</think>\n{PROGRAM}", F),
    "after thinking that left a fence open": (f"<think>\n```python\nf(\n</think>\n{PROGRAM}", F),
    "in the thinking alone": (f"<think>\n{PROGRAM}</think>\nDone.", F),
    "cut off": (f"```python\n{F}", None),
    "cut off after a whole one": (f"{PROGRAM}```python\ndef f():", None),
    "none": ("def f(): return 1", None),
    "nothing that defines f": ("```python\nx\n```\n```python\ny\n```\n", "y\n"),
    "a line's end of another system": (f"```python\r\n{F}```\r\n", F),
}  # fmt: skip
FENCE_IN_TEXT = "def f():\n    '''\n```\nf()\n```\n    '''\n    return 1\n"
INDENTED_FENCE = (
    'def f():\n    """For example:\n    ```python\n    f()\n    ```\n    """\n    return 1\n'
)


@pytest.mark.parametrize("name", RESPONSES)
def test_the_program(name: str) -> None:
    text, program = RESPONSES[name]
    assert extract_code(text, ["f"]) == program


@pytest.mark.parametrize("code", [FENCE_IN_TEXT, INDENTED_FENCE, FENCE_IN_TEXT.replace("'", '"')])
@pytest.mark.parametrize("after", ["", "\nOutput:\n```\n1\n```\n", "\n```python\nf()\n```\n"])
def test_a_fence_in_a_text_of_three_quotes(code: str, after: str) -> None:
    assert extract_code(f"```python\n{code}```\n{after}", ["f"]) == code


def test_quotes_that_open_nothing() -> None:
    for line in (
        'x = \'"""\'',
        "y = \"'''\"",
        "# it's '''",
        'z = "\\"" ',
        "w = r'a\\'",
        "v = 'open",
    ):
        code = f"{line}\n{F}"
        assert extract_code(f"```python\n{code}```\n```\n1\n```\n", ["f"]) == code


def test_a_text_that_never_ends_swallows_nothing() -> None:
    """The program is wrong, and its block is its block."""
    code = f'"""\n{F}'
    assert extract_code(f"```python\n{code}```\nSo.", ["f"]) == code


def test_the_last_that_defines_all_that_is_asked_for() -> None:
    both, one = "class A: pass\ndef f(): pass\n", "def f(): return 2\n"
    assert extract_code(f"```python\n{both}```\n```python\n{one}```\n", ["f", "A"]) == both
    assert extract_code(f"```python\n{one}```\n```python\nf()\n```\n", ["f", "A"]) == one
    for defining in ("f = 3\n", "f: int = 3\n", "async def f(): ...\n", "class f: ...\n"):
        assert (
            extract_code(f"```python\n{defining}```\n```python\nf == 3\n```\n", ["f"]) == defining
        )


def test_what_reads_standard_input() -> None:
    reads = "a = int(input())\nprint(a)\n"
    for example in ("print(3)\n", "# 3\n", "import os\n"):
        for program in (
            reads,
            "import sys\nfor l in sys.stdin: print(l)\n",
            "print(open(0).read())\n",
        ):
            text = f"```python\n{program}```\nFor example:\n```python\n{example}```\n"
            assert extract_code(text, reads=True) == program
    assert extract_code("```python\nprint(1)\n```\n```python\nprint(2)\n```\n", reads=True) == (
        "print(2)\n"
    )


@given(st.text(st.sampled_from("`~>-1. \n\t\"'\\#pyf{}")))
def test_any_text_has_blocks(text: str) -> None:
    blocks, _ = fenced_blocks(text)
    assert all(content.endswith("\n") for _, content in blocks)
    assert extract_code(f"{PROGRAM}\n{text}\n{PROGRAM}", ["f"]) in (None, F) or "f" in text


@pytest.mark.parametrize(
    "piece", ["```", "'", '"\\', "> ", "~~~python\n", "```python\n'''\n", "\\"]
)
def test_long_texts_come_to_an_end(piece: str) -> None:
    """One way to match each line: twice as long takes twice the time."""
    assert extract_code("```python\n" + piece * 200_000 + "\n```\n", ["f"]) != ""
