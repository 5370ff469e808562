"""The typed recipe of a curation: what `srpo curate --recipe` reads. Every field is optional."""

# ruff: noqa: RUF012 (pydantic copies defaults)

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from srpo.recipe.schema import Count, Section, Share, Source, VerifierConfig

Band = Literal["easy", "medium", "hard"]


class RawSource(Section):
    """A raw data set. Its layout is found by its columns, or named column by column."""

    path: str
    """A file, a folder of files, or a hub id, as `data.train` takes them."""
    domain: Literal["math", "code"] | None = None
    """Needed where columns are named: then nothing else says what judges the answers."""
    license: str = "not stated"
    """For the card: SPDX name, or in words."""
    limit: Count | None = None
    """Read the first so many rows."""
    id_field: str | None = None
    """Column with an id, which is kept as `original_id`."""
    prompt_field: str | None = None
    """Column with the question, in a layout that is not known."""
    answer_field: str | None = None
    """Math: column with the gold answer."""
    answer_pattern: str | None = None
    """Math: regular expression whose first group is the answer inside the column."""
    tests_field: str | None = None
    """Code: column with the tests."""
    reference_field: str | None = None
    """Code: column with a program that passes the tests."""

    @property
    def columns(self) -> Source | None:
        """The columns that are named here; None where the layout is to be found."""
        named = {
            name: value
            for name in Source.model_fields
            if name.endswith(("_field", "_pattern")) and (value := getattr(self, name)) is not None
        }
        return Source(path=self.path, domain=str(self.domain), **named) if named else None

    @model_validator(mode="after")
    def _columns_have_a_domain(self) -> RawSource:
        if self.domain is None and self.columns is not None:
            raise ValueError(f"source {self.path!r} names columns: say its domain, math or code")
        return self


class RatingConfig(Section):
    """Difficulty, by how often a model solves a problem."""

    recipe: str
    """A training recipe: its model, prompts, sampling and verifier rate the problems."""
    set: list[str] = []
    """Overrides of that recipe, as `--set` takes them: `model=path/to/model`."""
    samples: Annotated[int, Field(ge=2)] = 8
    """k: responses to each problem."""
    easy_from: Share = 0.8
    """A pass rate of so much or more is easy."""
    hard_below: Share = 0.3
    """One below it is hard; between the two it is medium."""
    keep: Annotated[list[Band], Field(min_length=1)] = ["easy", "medium", "hard"]
    """Problems of other bands are dropped."""

    @model_validator(mode="after")
    def _bands_do_not_overlap(self) -> RatingConfig:
        if self.hard_below > self.easy_from:
            raise ValueError(
                f"hard_below {self.hard_below} is above easy_from {self.easy_from}: lower it"
            )
        return self


class Curation(Section):
    """Everything that defines a curation."""

    sources: list[RawSource] = []
    """Raw data sets; those of the command line come after them."""
    decontaminate: list[RawSource] = []
    """Evaluation sets: a row that is one of their problems is dropped."""
    allow: list[str] = []
    """Reason codes whose rows stay, for example `weak_tests`; they are counted all the same."""
    min_tests: Count = 4
    """Code: a problem with fewer tests is `weak_tests`."""
    languages: list[Annotated[str, Field(pattern="^[a-z]{2}$")]] = []
    """Keep problems in these languages only (en, zh, ...); none keeps all."""
    verify: bool = True
    """Run reference programs, and trivial ones, and compare golds with worked solutions."""
    verifier: VerifierConfig = VerifierConfig()
    difficulty: RatingConfig | None = None
    """Rate what is left; rows that carry a pass rate keep it. None: no rating."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Of the rating's samples."""
