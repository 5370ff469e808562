"""From a problem to the token ids that the model is asked with."""

from __future__ import annotations

import difflib
import hashlib
import re
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from srpo.errors import OverlongPrompt, in_one_line
from srpo.recipe.schema import Prompts
from srpo.types import Problem, UserError, short
from srpo.verifiers.domain import Domain

Asked = tuple[str, str | None, str]  # domain, system message, question: ids may be in two files


class Prompter:
    """Renders problems with the tokenizer's chat template or the recipe's plain one.

    Each problem is rendered once. A template may ask for the time; it gets that of the run's
    beginning, so that a resumed run asks the same questions.
    """

    def __init__(
        self,
        tokenizer: Any,
        config: Prompts,
        domains: Mapping[str, Domain],
        now: datetime | None = None,
    ):
        self.tokenizer, self.config, self.domains = tokenizer, config, domains
        self.now = now or datetime.now()
        templates: Any = getattr(tokenizer, "chat_template", None)
        if config.style == "chat" and not templates:
            raise UserError(
                "data.style: 'chat', but the tokenizer has no chat template; use plain, or auto"
            )
        self.chat = bool(templates) and config.style != "plain"
        self.rendered: dict[Asked, array[int]] = {}
        if self.chat:
            self._check_template(templates)

    def text(self, problem: Problem) -> str:
        """The prompt as the tokenizer reads it, the chat's marks included. Raises UserError."""
        template = self.config.template or self.domains[problem.domain].template
        body = template.replace("{prompt}", problem.prompt)
        return self._chat(body, self._system(problem)) if self.chat else body

    def _system(self, problem: Problem) -> str | None:
        """The recipe's system message, or else that of the problem's row."""
        return self.config.system if self.config.system is not None else problem.meta.get("system")

    def ids(self, problem: Problem) -> list[int]:
        """Token ids of the prompt. Raises UserError when it is longer than the recipe allows."""
        asked = (problem.domain, self._system(problem), problem.prompt)
        if asked not in self.rendered:
            self.rendered[asked] = array("i", self._ids(problem))
        return self.rendered[asked].tolist()

    def short_enough(self, problems: Iterable[Problem]) -> list[Problem]:
        """Those whose prompts data.max_prompt_tokens allows; UserError for others, unless the
        recipe wants them dropped."""
        return [p for p in problems if self.config.overlong == "error" or self._fits(p)]

    def _fits(self, problem: Problem) -> bool:
        try:
            self.ids(problem)
        except OverlongPrompt:
            return False
        return True

    def fingerprint(self, problems: Iterable[Problem]) -> str:
        """Changes when a token of a prompt does: by another template, tokenizer or date."""
        digest = hashlib.sha256()
        for problem in problems:
            digest.update(repr(self.ids(problem)).encode())
        return digest.hexdigest()

    def warnings(self, problems: Sequence[Problem]) -> list[str]:
        """What is odd about the questions, in words: more control tokens in a prompt than the
        template puts there."""
        marks = _control_tokens(self.tokenizer)
        usual = _count(self._tokens(self.text(replace(problems[0], prompt="?"))), marks)
        odd = [p for p in problems if _count(self.ids(p), marks) > usual]
        if not odd:
            return []
        mark = next((m for m in marks.values() if m in odd[0].prompt), "one of them")
        return [
            f"data: the text of {len(odd)} questions has what the tokenizer reads as control"
            f" tokens ({mark!r} in {odd[0].id!r}): they can close their own turn; take it out of"
            " the data"
        ]

    def _ids(self, problem: Problem) -> list[int]:
        ids = self._tokens(self.text(problem))
        if not ids:
            raise UserError(
                f"data.template: the prompt of problem {problem.id!r} has no tokens at all;"
                " add words to the template or remove the problem"
            )
        if len(ids) > self.config.max_prompt_tokens:
            raise OverlongPrompt(
                f"data.max_prompt_tokens: {self.config.max_prompt_tokens}, but the prompt of"
                f" problem {problem.id!r} has {len(ids)} tokens; raise it, remove the problem, or"
                " leave out all such with data.overlong=drop"
            )
        return ids

    def _tokens(self, text: str) -> list[int]:
        """A chat template writes its own special tokens; a plain prompt gets those that the
        tokenizer puts before a text. What it puts behind one would end the answer before it
        begins."""
        own = self.tokenizer(text, add_special_tokens=False).input_ids
        ids = own if self.chat else _with_start(own, self.tokenizer(text).input_ids)
        start, end = (getattr(self.tokenizer, f"{n}_token_id", None) for n in ("bos", "eos"))
        while len(ids) > 1 and ids[0] == ids[1] == start:  # the template has written it as well
            ids = ids[1:]
        while ids and ids[-1] == end and not text.rstrip().endswith(self.tokenizer.eos_token):
            ids = ids[:-1]  # by a tokenizer that always appends it
        return ids

    def _chat(self, body: str, system: str | None) -> str:
        messages = [{"role": "user", "content": body}]
        if system is not None:
            messages.insert(0, {"role": "system", "content": system})
        try:
            return self.tokenizer.apply_chat_template(
                messages,
                tokenize=False,
                add_generation_prompt=True,
                **({"chat_template": self.config.chat_template} if self.named else {}),
                **{"strftime_now": self.now.strftime, **self.config.chat_template_kwargs},
            )
        except Exception as error:  # jinja's own, and whatever a template raises
            raise UserError(
                "data.style: the tokenizer's chat template cannot be used"
                f" ({in_one_line(error, 300)}); mend it in the model's folder, or use plain with a"
                " data.template"
            ) from error

    @property
    def named(self) -> bool:
        return self.config.chat_template is not None

    def _check_template(self, templates: str | dict[str, str]) -> None:
        """Raises UserError for what would fail, or would be ignored without a word."""
        name = self.config.chat_template
        if isinstance(templates, str):
            if name is not None:
                raise UserError(
                    f"data.chat_template: {name!r}, but the tokenizer has a single chat template,"
                    " without a name; leave data.chat_template out"
                )
            template = templates
        elif (name or "default") not in templates:
            given = f"{name!r} is unknown" if name else "the tokenizer has several chat templates"
            raise UserError(
                f"data.chat_template: {given}; choose one of {', '.join(sorted(templates))}"
            )
        else:
            template = templates[name or "default"]
        self._chat("?", None)
        self._check_arguments(template)
        self._check_system()

    def _check_arguments(self, template: str) -> None:
        """One that a template does not read would be passed over without a word."""
        words = sorted(set(re.findall(r"\w+", template)))
        for key in self.config.chat_template_kwargs:
            if key not in words:
                close = difflib.get_close_matches(key, words, n=1, cutoff=0.6)
                hint = f"did you mean {close[0]!r}?" if close else "leave it out"
                raise UserError(
                    f"data.chat_template_kwargs: the chat template does not read {key!r}; {hint}"
                )

    def _check_system(self) -> None:
        system = self.config.system
        if system is None:
            return
        fix = "leave data.system out, or put its text before {prompt} in data.template"
        try:
            read = self._chat("?", system) != self._chat("?", None)
        except UserError as error:
            raise UserError(
                f"data.system: {short(system)}, but the tokenizer's chat template takes no system"
                f" message ({in_one_line(error.__cause__ or error, 200)}); {fix}"
            ) from error
        if not read:
            raise UserError(
                f"data.system: {short(system)}, but the tokenizer's chat template passes system"
                f" messages over; {fix}"
            )


def _with_start(own: list[int], whole: list[int]) -> list[int]:
    """The tokens of a text with the special ones before it, without those behind it."""
    for at in range(len(whole) - len(own) + 1):
        if own and whole[at : at + len(own)] == own:
            return whole[: at + len(own)]
    return whole


def _control_tokens(tokenizer: Any) -> dict[int, str]:
    """The tokenizer's special tokens, and the text that it reads as one."""
    added = getattr(tokenizer, "added_tokens_decoder", {})
    return {i: token.content for i, token in added.items() if token.special}


def _count(ids: list[int], marks: dict[int, str]) -> int:
    return sum(i in marks for i in ids)
