"""Instructions that sets put around every question. A recipe says itself how to answer."""

from __future__ import annotations

import re

_BOXED = r"put (?:your|the) final answer (?:with)?in \\{0,2}boxed\s?\{\s?\}"
_PREFIXES = [
    # DAPO-Math-17k, after https://github.com/openai/simple-evals
    re.compile(r"\A\s*+Solve the following math problem step by step\.[^\n]*\n+"),
    # Qwen2.5-Math and DeepSeek-R1, where they ask first
    re.compile(rf"\A\s*+(?:Please )?reason step by step,? and {_BOXED}\.?\s++", re.I),
]
_SUFFIXES = [
    re.compile(r"Remember to put your answer on its own line after \"Answer:\"[^\n]*\s*\Z"),
    # verl's examples/data_preprocess
    re.compile(r"Let's think step by step and output the final answer [^\n]{1,60}\s*\Z"),
    re.compile(r"Let['’]s think step by step[.!]?\s*\Z"),  # noqa: RUF001
    # Eurus-2-RL, https://github.com/PRIME-RL/PRIME
    re.compile(r"Present the answer in LaTe[xX] format: \\boxed\{Your answer\}\s*\Z"),
    re.compile(
        r"Write Python code to solve the problem\. Present the code in\s{0,9}```python\s{0,9}"
        r"Your code\s{0,9}```\s{0,9}at the end\.?\s*\Z"
    ),
    # Qwen2.5-Math and DeepSeek-R1
    re.compile(rf"(?:Please )?\breason step by step,? and {_BOXED}\.?\s*\Z", re.I),
    re.compile(rf"(?:Please )?\b{_BOXED}\.?\s*\Z", re.I),
    # DAPO-Math-17k's Chinese rows
    re.compile(r"让我们一步一步地思考。[^\n]{0,200}\s*\Z"),
]
_LENGTH = 2000  # of a suffix, with the blanks after it


def unwrapped(question: str) -> str:
    """Without them. What stands before a suffix loses its blanks at the end."""
    for pattern in _PREFIXES:
        question = pattern.sub("", question, count=1)
    for pattern in _SUFFIXES:
        if match := pattern.search(question, max(0, len(question) - _LENGTH)):
            question = question[: match.start()].rstrip()
    return question
