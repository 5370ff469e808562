"""Instructions that sets put around every question. A recipe says itself how to answer."""

from __future__ import annotations

import re

_PREFIXES = [
    # DAPO-Math-17k, after https://github.com/openai/simple-evals
    re.compile(r"\A\s*Solve the following math problem step by step\.[^\n]*\n+"),
]
_SUFFIXES = [
    re.compile(r"\s*Remember to put your answer on its own line after \"Answer:\"[^\n]*\s*\Z"),
    # verl's examples/data_preprocess
    re.compile(r"\s*Let's think step by step and output the final answer [^\n]{1,60}\s*\Z"),
    # Eurus-2-RL, https://github.com/PRIME-RL/PRIME
    re.compile(r"\s*Present the answer in LaTe[xX] format: \\boxed\{Your answer\}\s*\Z"),
    re.compile(
        r"\s*Write Python code to solve the problem\. Present the code in\s*```python\s*"
        r"Your code\s*```\s*at the end\.?\s*\Z"
    ),
]


def unwrapped(question: str) -> str:
    for pattern in (*_PREFIXES, *_SUFFIXES):
        question = pattern.sub("", question, count=1)
    return question
