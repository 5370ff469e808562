"""`vllm serve DIR`, really: asked by chat, it has the training's prompt, answer and end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from srpo.data.prompts import Prompter
from srpo.data.sources import load_problems
from srpo.domains import find_domains
from srpo.models import eos_ids_of, load_model, load_tokenizer
from srpo.recipe.load import load_recipe
from srpo.rollout.engine import Request, Sampling
from srpo.rollout.transformers.engine import TransformersEngine
from srpo.run.evaluation import Place, evaluate
from vllm_serving import Server, kill, needs_serving, serve, wait_for

pytestmark = needs_serving


@pytest.fixture
def server(released: Path, tmp_path: Path) -> Iterator[Server]:
    options = ["--dtype", "float32", "--max-model-len", "256", "--enforce-eager"]
    server = serve(str(released), options, tmp_path / "log")
    try:
        wait_for(server, tmp_path / "log")
        yield server
    finally:
        kill(server)


def served_and_local_evaluations_agree(model: Path, server: Server, folder: Path) -> None:
    """`srpo eval --server` has the verdicts and lengths of `srpo eval` on the folder, greedily."""
    source = {"path": "nano:math", "domain": "math", "split": "heldout", "limit": 6}
    rollout = {"temperature": 1.0, "top_p": 1.0, "top_k": 1, "max_new_tokens": 32}
    tree = {"sets": [source], "samples": 2, "templates": {}, "rollout": rollout}
    asked = {
        "served": (tree, Place(folder / "served", server=server.url)),
        "local": (tree | {"model": str(model)}, Place(folder / "local")),
    }
    numbers = []
    for with_model, place in asked.values():
        path = evaluate(with_model, place, lambda *_: None, lambda _: None)
        numbers.append(json.loads(path.read_text())["sets"][0]["numbers"])
    assert numbers[0] == numbers[1]
    assert numbers[0]["mean_tokens"] > 2


def test_a_chat_has_the_trainings_prompt_answer_and_end(
    run: Path, released: Path, server: Server, tmp_path: Path
):
    recipe = load_recipe(run / "recipe.yaml")
    problems = load_problems(recipe.data.train, "data.train", recipe.seed)
    tokenizer = load_tokenizer(str(run / "model"))
    prompter = Prompter(tokenizer, recipe.data, find_domains(["math", "code"]))
    eos = eos_ids_of(str(run / "model"), tokenizer) | set(recipe.rollout.stop_token_ids)
    model = load_model(str(run / "model"), "float32", torch.device("cpu"))
    engine = TransformersEngine(model, tokenizer, 64, eos)
    greedy = Sampling(1.0, 1.0, recipe.rollout.max_new_tokens, top_k=1)
    asked = [Request(i, prompter.ids(p), 1, 0) for i, p in enumerate(problems)]
    ended = set()
    for request, [rollout] in engine.generate(asked, greedy):
        chat = [{"role": "user", "content": problems[request.index].prompt}]
        body = {"messages": chat, "temperature": 0, "return_token_ids": True}
        answer = server.post("/v1/chat/completions", {"model": str(released), **body})
        [choice] = answer["choices"]
        assert answer["prompt_token_ids"] == request.prompt_ids
        assert choice["token_ids"] == rollout.token_ids.tolist()
        assert choice["message"]["content"] == rollout.text
        assert choice["finish_reason"] == str(rollout.finish_reason)
        ended.add(choice["finish_reason"])
    assert "stop" in ended
    longest = json.loads((released / "generation_config.json").read_text())["max_new_tokens"]
    served_and_local_evaluations_agree(released, server, tmp_path)
    parts = [{"type": "text", "text": problems[0].prompt}]  # as clients also send it
    body = {"messages": [{"role": "user", "content": parts}], "return_token_ids": True}
    body |= {"model": str(released), "ignore_eos": True}
    answer = server.post("/v1/chat/completions", body)
    assert answer["prompt_token_ids"] == prompter.ids(problems[0])
    assert len(answer["choices"][0]["token_ids"]) == longest
