"""What `--dry-run` says beside the recipe, without loading weights or asking the hub."""

from __future__ import annotations

from srpo.errors import in_one_line
from srpo.models import eos_ids_of, load_tokenizer
from srpo.recipe.schema import Recipe
from srpo.rollout.stops import in_words


def ends_of_responses(recipe: Recipe) -> str:
    """What ends a response, in a line."""
    try:
        tokenizer = load_tokenizer(recipe.model, offline=True)
        eos = eos_ids_of(recipe.model, tokenizer) | frozenset(recipe.rollout.stop_token_ids)
    except Exception as error:  # the model may be elsewhere; the recipe is what was asked for
        return (
            f"what ends a response is not known before the model is here: {in_one_line(error, 200)}"
        )
    return f"a response ends with {in_words(tokenizer, eos, recipe.rollout.stop)}"
