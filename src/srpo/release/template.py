"""The training's prompt as a chat template, so that whoever asks asks as the training did.

For a chat prompt the tokenizer's own template is kept as it is, behind a preamble that puts the
recipe's system message, the text around a question and the template's arguments where the training
had them. A plain prompt becomes a template of its own.
"""

from __future__ import annotations

import json
from typing import Any

from srpo.data.prompts import Prompter
from srpo.types import Problem, UserError, short

# What a template has from whoever renders it, whether it was given or not.
GIVEN = ("tools", "documents")

# Several texts of one message are joined as vLLM joins them.
TEXT = """\
{%- set text = message.content if message.content is string
    else message.content | map(attribute="text") | join("\\n") %}
"""


def chat_template(prompter: Prompter, domain: str, eos: str) -> str | dict[str, str]:
    """The template of a release; a mapping by name where the tokenizer has several.

    Args:
        domain: whose text stands around a question, where the recipe names none.
        eos: the text of the token that ends an answer.
    """
    around = around_question(prompter, domain)
    if not prompter.chat:
        return _plain(_before(prompter, domain), around, eos)
    own: str | dict[str, str] = prompter.tokenizer.chat_template
    if isinstance(own, str):
        return _preamble(prompter, own, around) + own
    chosen = own[prompter.config.chat_template or "default"]
    return own | {"default": _preamble(prompter, chosen, around) + chosen}


def around_question(prompter: Prompter, domain: str) -> str:
    """The text around a question, `{prompt}` in its place."""
    return prompter.config.template or prompter.domains[domain].template


def _plain(before: str, around: str, eos: str) -> str:
    """Questions as the training asks them; answers, and whatever else is said, with the end token
    behind them.

    Args:
        before: an expression of what stands before the text.
    """
    return (
        '{%- set asked = namespace(text="") %}\n'
        "{%- for message in messages %}\n"
        f"{TEXT}"
        '{%- if message.role == "user" %}\n'
        f"{{%- set asked.text = asked.text ~ {_around(around)} %}}\n"
        "{%- else %}\n"
        f"{{%- set asked.text = asked.text ~ text ~ {_literal(eos)} %}}\n"
        "{%- endif %}\n"
        "{%- endfor %}\n"
        f"{{{{- {before} ~ asked.text -}}}}\n"
    )


def _before(prompter: Prompter, domain: str) -> str:
    """The special tokens that the tokenizer puts before a plain text.

    Some tokenizers put a space before a text as well, but not behind a special token that is
    written out; such a one gets it here. They write a space as U+2581.
    """
    tokenizer, asked = prompter.tokenizer, Problem("", domain, "What is 6 times 7?")
    text, ids = prompter.text(asked), prompter.ids(asked)
    own = tokenizer(text, add_special_tokens=False).input_ids
    special = "".join(tokenizer.convert_ids_to_tokens(ids[: max(0, len(ids) - len(own))]))
    read = [tokenizer(special + t, add_special_tokens=False).input_ids for t in (text, " " + text)]
    if special and read[0] != ids and read[1] == ids:
        return f'{_literal(special)} ~ ("" if asked.text.startswith((" ", "\u2581")) else " ")'
    return _literal(special)


def _preamble(prompter: Prompter, template: str, around: str) -> str:
    """What is said before a template: nothing, where nothing is to be changed. Its last newline is
    no part of the text, as `trim_blocks` wants it."""
    lines = _arguments(prompter) + _time(prompter, template)
    if around != "{prompt}" or prompter.config.system is not None:
        lines += _messages(prompter.config.system, around)
    return "".join(f"{line}\n" for line in lines)


def _arguments(prompter: Prompter) -> list[str]:
    """Whoever renders may still give others, but for special tokens, which are always given."""
    lines = []
    special = prompter.tokenizer.special_tokens_map
    for name, value in prompter.config.chat_template_kwargs.items():
        assign = f"{{%- set {name} = {_literal(value)} %}}"
        unless = f"{name} is not defined" + (f" or {name} is none" if name in GIVEN else "")
        given = name in special
        lines.append(assign if given else f"{{%- if {unless} %}}{assign}{{%- endif %}}")
    return lines


def _time(prompter: Prompter, template: str) -> list[str]:
    """A template that asks for the date gets that of the training."""
    if "strftime_now" not in template or "strftime_now" in prompter.config.chat_template_kwargs:
        return []
    asked: dict[str, str] = {}

    def tell(form: str) -> str:
        return asked.setdefault(form, prompter.now.strftime(form))

    prompter.tokenizer.apply_chat_template(
        [{"role": "user", "content": "What is 6 times 7?"}],
        tokenize=False,
        add_generation_prompt=True,
        chat_template=template,
        **prompter.config.chat_template_kwargs,
        strftime_now=tell,
    )
    return [
        f"{{%- macro strftime_now(form) -%}}{{{{- {_literal(asked)}[form] -}}}}{{%- endmacro %}}"
    ]


def _messages(system: str | None, around: str) -> list[str]:
    """The caller's own system message goes before the recipe's."""
    first = []
    if system is not None:
        message = _literal({"role": "system", "content": system})
        first = [
            '{%- if messages[0].role not in ["system", "developer"] %}',
            f"{{%- set asked.messages = [{message}] %}}",
            "{%- endif %}",
        ]
    return [
        "{%- set asked = namespace(messages=[]) %}",
        *first,
        "{%- for message in messages %}",
        '{%- if message.role == "user" %}',
        TEXT.rstrip("\n"),
        f'{{%- set message = {{"role": "user", "content": {_around(around)}}} %}}',
        "{%- endif %}",
        "{%- set asked.messages = asked.messages + [message] %}",
        "{%- endfor %}",
        "{%- set messages = asked.messages %}",
    ]


def _around(template: str) -> str:
    """An expression: the template, with `text` in each of its places."""
    return f"({_literal(template.split('{prompt}'))} | join(text))"


def _literal(value: Any) -> str:
    """A value as Jinja's source has it. Raises UserError for one that it cannot have."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "none"}[value]
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_literal(k)}: {_literal(v)}' for k, v in value.items())}}}"
    if isinstance(value, int | float):
        if value != value or value in (float("inf"), float("-inf")):
            raise UserError(
                f"data.chat_template_kwargs: {short(value)} cannot be written into a chat template"
            )
        return repr(value)
    return json.dumps(str(value), ensure_ascii=False)
