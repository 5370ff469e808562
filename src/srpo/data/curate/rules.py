"""The stages that look at one row alone, and their rules in order: cheap ones first."""

from __future__ import annotations

from srpo.data.candidate import Candidate
from srpo.data.curate import code_filters, completeness, math_filters
from srpo.data.curate.language import language_of
from srpo.data.curate.rule import Rule
from srpo.recipe.curation import Curation

COMPLETENESS: tuple[Rule, ...] = (completeness.no_question, completeness.no_ground_truth)


def code_rules(config: Curation) -> tuple[Rule, ...]:
    """How many tests are few stands in the recipe."""
    return (
        code_filters.special_environment,
        code_filters.file_io,
        code_filters.needs_network,
        code_filters.interactive,
        code_filters.needs_randomness,
        code_filters.many_outputs,
        code_filters.image_missing,
        code_filters.missing_helper,
        code_filters.weak_tests(config.min_tests),
    )


def other_language(languages: list[str]) -> Rule:
    """The rule that drops what is in none of these languages."""

    def other_language(candidate: Candidate) -> str | None:
        """Questions in a language that the recipe does not ask for."""
        found = language_of(candidate.prompt)
        return None if found in languages else f"the question is in {found}"

    return other_language


def stages(config: Curation, domain: str) -> list[tuple[str, tuple[Rule, ...]]]:
    """Each stage's name with its rules for problems of a domain."""
    filters = code_rules(config) if domain == "code" else math_filters.RULES
    languages = (other_language(config.languages),) if config.languages else ()
    return [("complete", COMPLETENESS), ("filter", filters), ("language", languages)]
