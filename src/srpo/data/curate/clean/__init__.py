"""Cleaning: what can be mended in a row is mended before rules judge it."""

from __future__ import annotations

from dataclasses import replace

from srpo.data.candidate import Candidate
from srpo.data.curate.clean.characters import mojibake, unicode_form
from srpo.data.curate.clean.controls import control_characters, eaten_commands
from srpo.data.curate.clean.markup import forum_tags, html_markup, links
from srpo.data.curate.clean.noise import (
    contest_boilerplate,
    credits_,
    dollars,
    headings,
    instructions,
    remarks,
)
from srpo.data.curate.clean.spacing import glued, whitespace, written_newlines
from srpo.data.curate.rule import Cleaner

CLEANERS: tuple[Cleaner, ...] = (
    mojibake,  # needs the control characters that are halves of letters
    eaten_commands,
    control_characters,
    unicode_form,
    written_newlines,
    dollars,
    links,
    html_markup,
    forum_tags,
    glued,
    credits_,
    remarks,
    instructions,
    headings,
    contest_boilerplate,
    whitespace,
)
_ROUNDS = 8  # what one cleaner uncovers for another; more is nested on purpose


def clean(candidate: Candidate) -> Candidate:
    """The candidate with its texts mended, and on record in `changes` how; tests and programs stay.

    What is clean stays as it is.
    """
    for _ in range(_ROUNDS):
        before = candidate
        for cleaner in CLEANERS:
            candidate = cleaner(candidate)
        if _texts(candidate) == _texts(before):
            return candidate
    return candidate


def _texts(candidate: Candidate) -> Candidate:
    return replace(candidate, changes=())
