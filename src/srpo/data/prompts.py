"""From a problem to the token ids that the model is asked with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from srpo.recipe.schema import Data
from srpo.types import Problem, UserError
from srpo.verifiers.domain import Domain


class Prompter:
    """Renders problems with the tokenizer's chat template or the recipe's plain one."""

    def __init__(self, tokenizer: Any, config: Data, domains: Mapping[str, Domain]):
        self.tokenizer, self.config, self.domains = tokenizer, config, domains
        has_template = bool(getattr(tokenizer, "chat_template", None))
        if config.style == "chat" and not has_template:
            raise UserError(
                "data.style: 'chat', but the tokenizer has no chat template; use plain, or auto"
            )
        self.chat = has_template and config.style != "plain"

    def text(self, problem: Problem) -> str:
        """The prompt as the tokenizer reads it, the chat's marks included."""
        template = self.config.template or self.domains[problem.domain].template
        body = template.replace("{prompt}", problem.prompt)
        if not self.chat:
            return body
        messages = [{"role": "user", "content": body}]
        if self.config.system is not None:
            messages.insert(0, {"role": "system", "content": self.config.system})
        return self.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )

    def ids(self, problem: Problem) -> list[int]:
        """Token ids of the prompt. Raises UserError when it is longer than the recipe allows."""
        # A chat template writes its own special tokens; a plain prompt gets the tokenizer's.
        ids = self.tokenizer(self.text(problem), add_special_tokens=not self.chat).input_ids
        if not ids:
            raise UserError(
                f"data.template: the prompt of problem {problem.id!r} has no tokens at all;"
                " add words to the template or remove the problem"
            )
        if len(ids) > self.config.max_prompt_tokens:
            raise UserError(
                f"data.max_prompt_tokens: {self.config.max_prompt_tokens}, but the prompt of"
                f" problem {problem.id!r} has {len(ids)} tokens; raise it or remove the problem"
            )
        return ids
