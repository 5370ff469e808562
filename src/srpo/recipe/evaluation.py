"""The typed recipe of an evaluation: what `srpo eval --recipe` reads. Every field is optional."""

# ruff: noqa: RUF012 (pydantic copies defaults)

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from srpo.recipe.schema import Count, Prompts, RolloutConfig, Section, Source, VerifierConfig

Beside = Literal["lcb-compatible", "math-verify"]

MATH = "{prompt}\n\nReason step by step, and put your final answer within \\boxed{{}}."
CODE = (
    "{prompt}\n\nReason step by step, and end with one ```python block that holds the whole"
    " program and nothing else."
)
TEMPLATES = {"math": MATH.replace("{{}}", "{}"), "code": CODE}


class Evaluation(Section):
    """Everything that defines an evaluation."""

    model: str = ""
    """What is evaluated: a run's folder, a model's folder, a hub id, nano; the command line names
    it. Of a server, one of the models that it serves; it may be left out where it serves one."""
    sets: list[str | Source] = []
    """Benchmarks by name (`aime24`, `livecodebench:2024-08..2025-01`), `nano:math`, `nano:code`,
    `heldout` (the run's own) or `heldout:RUN`, files, or sources as `data.eval` has them; the
    command line's come after these."""
    samples: Count = 32
    """n: responses to each problem."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of the samples, and of generated problems."""
    exclude_errata: bool = False
    """Leave out problems that are known not to be gradable; the result says which."""
    beside: list[Beside] = []
    """Graders whose verdicts stand beside ours: `lcb-compatible` computes what LiveCodeBench's
    leaderboard computes, `math-verify` is Hugging Face's."""
    templates: dict[str, str] = TEMPLATES
    """The text around a question, by domain; `{prompt}` marks its place. A run's model has that of
    its training instead, where this says nothing."""
    data: Prompts = Prompts(max_prompt_tokens=8192)
    """How problems are put to the model. A run's model is asked as it was trained, where this says
    nothing."""
    rollout: RolloutConfig = RolloutConfig(
        temperature=0.6, top_p=0.95, max_new_tokens=16384, max_rows=64
    )
    """How responses are sampled, and by which engine. A run's model is sampled as in its training,
    where this says nothing."""
    verifier: VerifierConfig = VerifierConfig(time_limit_s=10.0, memory_mb=1024)
    """How answers are judged."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Precision of computation."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the model lives; auto takes the GPU where there is one."""

    @model_validator(mode="after")
    def _templates_have_places(self) -> Evaluation:
        for domain, template in self.templates.items():
            if "{prompt}" not in template:
                raise ValueError(f"templates.{domain}: {template!r} must contain {{prompt}}")
        return self
