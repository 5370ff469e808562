"""Which model families srpo trains: each small, at random weights, through a whole round.

    python benchmarks/architectures.py [FAMILY]... [--engine transformers|vllm] [--page FILE]

A round: the model is saved with nano's tokenizer and opened as `srpo train` opens it; the engine
decodes greedily (held against transformers' own `generate`) and samples (held against the learner's
log-probabilities); two optimizer steps, after each of which the engine takes the new weights and is
asked again; the model is exported, loaded by transformers, held against the learner's logits, and
trained one step more. Each family has a process with a time limit, so a crash is a row.

Results are kept beside the page as JSON, one file an engine, so that families can be run again
alone. The page is drawn from all of them.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import shutil
import signal
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
import transformers
import typer
from transformers import CONFIG_MAPPING, AutoModelForCausalLM
from transformers.utils import logging

from srpo.errors import SRPOError, in_one_line
from srpo.learner.batch import TrainBatch, TrainRow
from srpo.learner.local import LocalLearner
from srpo.models import load_model, load_tokenizer
from srpo.recipe.load import load_recipe
from srpo.rollout.engine import Request, RolloutEngine, Sampling
from srpo.rollout.freshness import TOLERANCE, FreshnessCheck
from srpo.rollout.open import open_engine
from srpo.rollout.vllm.engine import import_vllm
from srpo.rollout.vllm.install import installed_vllm

PAGE = Path(__file__).resolve().parent.parent / "docs" / "architectures.md"
CPU = torch.device("cpu")
CONTEXT, TOKENS, STEPS = 128, 24, 2
LENGTHS = (9, 5, 14, 9)  # of the prompts
GREEDY, SAMPLED = Sampling(1.0, 1.0, TOKENS, top_k=1), Sampling(1.0, 1.0, TOKENS)
CLOSE = 1e-4  # nats, of logits of the same weights

SIZES: dict[str, Any] = {
    "vocab_size": 512,
    "hidden_size": 128,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "max_position_embeddings": 256,
    "initializer_range": 0.1,
    "bos_token_id": None,
    "eos_token_id": 0,
    "pad_token_id": 1,
}
WINDOW: dict[str, Any] = {
    "sliding_window": 16,
    "layer_types": ["sliding_attention", "full_attention"],
}
LINEAR: dict[str, Any] = {
    "layer_types": ["linear_attention", "full_attention"],
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 32,
    "linear_value_head_dim": 32,
}
EXPERTS: dict[str, Any] = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 64}
LOCAL: dict[str, Any] = {"num_local_experts": 4, "num_experts_per_tok": 2}
ROUTED: dict[str, Any] = {
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 64,
    "n_shared_experts": 1,
    "n_group": 1,
    "topk_group": 1,
    "first_k_dense_replace": 1,
}
LATENT: dict[str, Any] = {
    "kv_lora_rank": 64,
    "q_lora_rank": 64,
    "qk_rope_head_dim": 32,
    "qk_nope_head_dim": 32,
    "v_head_dim": 32,
    "num_key_value_heads": 4,
}
MAMBA: dict[str, Any] = {
    "mamba_d_state": 16,
    "mamba_n_heads": 8,
    "mamba_d_head": 32,
    "mamba_expand": 2,
    "mamba_n_groups": 1,
}
# Of families whose config calls the sizes by other names.
PLAIN = ("head_dim", "num_key_value_heads")

# Family: transformers' model_type, what its config has beside SIZES (None: not that one).
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "Llama": ("llama", {}),
    "Mistral": ("mistral", {"sliding_window": 16}),
    "Ministral": ("ministral", WINDOW),
    "Mixtral": ("mixtral", LOCAL),
    "Qwen2": ("qwen2", {"head_dim": None}),
    "Qwen2-MoE": (
        "qwen2_moe",
        EXPERTS | {"head_dim": None, "shared_expert_intermediate_size": 64},
    ),
    "Qwen3": ("qwen3", {}),
    "Qwen3-MoE": ("qwen3_moe", EXPERTS),
    "Qwen3-Next": ("qwen3_next", LINEAR | EXPERTS | {"shared_expert_intermediate_size": 64}),
    "Qwen3.5": ("qwen3_5_text", LINEAR),
    "Qwen3.5-MoE": ("qwen3_5_moe_text", LINEAR | EXPERTS | {"shared_expert_intermediate_size": 64}),
    "Gemma": ("gemma", {}),
    "Gemma 2": ("gemma2", WINDOW),
    "Gemma 3": ("gemma3_text", WINDOW),
    "Phi": ("phi", {"head_dim": None, "num_key_value_heads": 4}),
    "Phi-3": ("phi3", {"head_dim": None}),
    "PhiMoE": ("phimoe", LOCAL),
    "Granite": ("granite", {"logits_scaling": 4.0}),
    "GraniteMoE": ("granitemoe", LOCAL),
    "GraniteMoEHybrid": (
        "granitemoehybrid",
        LOCAL | MAMBA | {"layer_types": ["mamba", "attention"], "shared_intermediate_size": 64},
    ),
    "Cohere": ("cohere", {}),
    "Cohere 2": ("cohere2", WINDOW),
    "OLMo": ("olmo", {}),
    "OLMo 2": ("olmo2", {}),
    "OLMo 3": ("olmo3", WINDOW),
    "OLMoE": ("olmoe", EXPERTS),
    "Falcon": (
        "falcon",
        dict.fromkeys(PLAIN)
        | {"new_decoder_architecture": True, "num_kv_heads": 2, "alibi": False},
    ),
    "Falcon-H1": ("falcon_h1", MAMBA | {"mamba_d_ssm": 256}),
    "FalconMamba": ("falcon_mamba", {"state_size": 16, "time_step_rank": 8}),
    "Mamba": ("mamba", {"state_size": 16, "time_step_rank": 8}),
    "Mamba 2": ("mamba2", {"state_size": 16, "num_heads": 8, "n_groups": 1}),
    "LFM2": (
        "lfm2",
        {"layer_types": ["conv", "full_attention"], "block_auto_adjust_ff_dim": False},
    ),
    "LFM2-MoE": (
        "lfm2_moe",
        EXPERTS | {"layer_types": ["conv", "full_attention"], "num_dense_layers": 1},
    ),
    "GPT-2": ("gpt2", dict.fromkeys(PLAIN) | {"n_inner": 256, "n_positions": 256}),
    "GPT-BigCode": ("gpt_bigcode", dict.fromkeys(PLAIN) | {"n_inner": 256, "n_positions": 256}),
    "GPT-Neo": (
        "gpt_neo",
        dict.fromkeys(PLAIN) | {"num_layers": 2, "attention_types": [[["global", "local"], 1]]},
    ),
    "GPT-NeoX": ("gpt_neox", dict.fromkeys(PLAIN)),
    "GPT-J": ("gptj", dict.fromkeys(PLAIN) | {"rotary_dim": 16, "n_positions": 256}),
    "BLOOM": ("bloom", dict.fromkeys(PLAIN)),
    "MPT": (
        "mpt",
        dict.fromkeys(PLAIN) | {"d_model": 128, "n_heads": 4, "n_layers": 2, "max_seq_len": 256},
    ),
    "OPT": ("opt", dict.fromkeys(PLAIN) | {"ffn_dim": 128, "word_embed_proj_dim": 128}),
    "StableLM": ("stablelm", {"head_dim": None}),
    "StarCoder2": ("starcoder2", {"head_dim": None}),
    "SmolLM3": ("smollm3", {"head_dim": None}),
    "GLM": ("glm", {}),
    "GLM-4": ("glm4", {}),
    "GLM-4-MoE": ("glm4_moe", ROUTED),
    "ERNIE 4.5": ("ernie4_5", {}),
    "ERNIE 4.5 MoE": (
        "ernie4_5_moe",
        {"moe_num_experts": 4, "moe_k": 2, "moe_intermediate_size": 64, "moe_num_shared_experts": 1}
        | {"moe_layer_start_index": 1, "moe_layer_end_index": 1, "head_dim": None},
    ),
    "Hunyuan": ("hunyuan_v1_dense", {}),
    "Hunyuan MoE": ("hunyuan_v1_moe", {"num_experts": 4, "moe_topk": [2, 2]}),
    "DeepSeek-V2": ("deepseek_v2", ROUTED | LATENT | {"head_dim": 32}),
    "DeepSeek-V3": ("deepseek_v3", ROUTED | LATENT),
    "GPT-OSS": ("gpt_oss", LOCAL | WINDOW),
    "Bamba": ("bamba", MAMBA | {"attn_layer_indices": [1]}),
    "Jamba": (
        "jamba",
        {"num_experts": 4, "num_experts_per_tok": 2, "attn_layer_period": 2, "attn_layer_offset": 1}
        | {"expert_layer_period": 2, "expert_layer_offset": 1, "mamba_d_state": 16}
        | {"mamba_dt_rank": 8, "use_mamba_kernels": False, "head_dim": None},
    ),
    "Zamba 2": (
        "zamba2",
        {"layers_block_type": ["mamba", "hybrid"], "mamba_d_state": 16, "n_mamba_heads": 8}
        | {"mamba_ngroups": 1, "num_mem_blocks": 1, "num_key_value_heads": 4},
    ),
    "Nemotron": ("nemotron", {}),
    "Apertus": ("apertus", {}),
    "Arcee": ("arcee", {}),
    "EXAONE 4": ("exaone4", WINDOW),
    "Seed-OSS": ("seed_oss", {}),
    "MiniMax": ("minimax", LOCAL | LINEAR),
    "RecurrentGemma": (
        "recurrent_gemma",
        {"block_types": ["recurrent", "attention"], "attention_window_size": 32, "lru_width": 128},
    ),
    "DBRX": (
        "dbrx",
        {"d_model": 128, "n_heads": 4, "n_layers": 2, "max_seq_len": 256, "head_dim": None}
        | {"attn_config": {"kv_n_heads": 2, "clip_qkv": 8.0, "rope_theta": 10000.0}}
        | {"ffn_config": {"ffn_hidden_size": 64, "moe_num_experts": 4, "moe_top_k": 2}},
    ),
}


@dataclass
class Result:
    """What a family did; None: not come to.

    greedy     prompts whose greedy tokens are those of `generate`, of how many
    mean, max  |log-probability of the engine - of the learner|, over all weights; `max` a token's
    changed    tensors that two steps changed, of how many
    saved      largest difference of the exported model's logits from the learner's
    again      the exported model was trained one step more
    """

    model: str = ""
    greedy: tuple[int, int] | None = None
    mean: float | None = None
    max: float | None = None
    changed: tuple[int, int] | None = None
    saved: float | None = None
    again: bool = False
    refused: str = ""
    failed: str = ""
    seconds: float = 0.0

    def verdict(self) -> str:
        if self.refused:
            return f"refused: {self.refused}"
        return f"FAILS: {self.failed}" if self.failed else "trains"


def small_model(family: str) -> Any:
    kind, own = FAMILIES[family]
    sizes: dict[str, Any] = {
        k: v for k, v in (SIZES | own).items() if v is not None or k == "bos_token_id"
    }
    torch.manual_seed(0)
    config = CONFIG_MAPPING[kind](**sizes)
    model: Any = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    return model.eval()


def round_of(family: str, engine_name: str, folder: Path, result: Result) -> None:
    """Fill in `result`, as far as it comes."""
    model, tokenizer = small_model(family), load_tokenizer("nano")
    result.model = type(model).__name__
    model.save_pretrained(folder / "base")
    tokenizer.save_pretrained(folder / "base")
    settings = [f"model={folder / 'base'}", f"output_dir={folder / 'run'}", "rollout.max_rows=16"]
    settings += [f"rollout.engine={engine_name}", "learner.lr=1e-3", "learner.device=cpu"]
    recipe = load_recipe("nano", settings)
    learner = LocalLearner.open(recipe, tokenizer)
    eos, weights = learner.info.eos, folder / "weights"
    engine = open_engine(
        recipe.model,
        recipe.rollout,
        recipe.learner.dtype,
        tokenizer,
        eos,
        CPU,
        CONTEXT,
        weights,
        print,
    )
    random = torch.Generator().manual_seed(1)
    prompts = [torch.randint(2, 512, (n,), generator=random).tolist() for n in LENGTHS]
    result.greedy = greedy_equal(engine, learner.model, prompts)
    before = {name: p.detach().clone() for name, p in learner.model.named_parameters()}
    tolerance = TOLERANCE["float32"]
    probes = [] if engine_name == "transformers" else prompts  # as in a run
    freshness = FreshnessCheck(engine, learner.score, probes, SAMPLED, tolerance)
    means: list[float] = []
    batch = TrainBatch([], 0, 0)
    for version in range(STEPS + 1):
        if version:
            engine.load_weights(learner.publish(version))
        freshness.check(freshness.difference())
        batch, mean, most = sampled(engine, learner, prompts, version)
        means.append(mean)
        result.mean, result.max = max(means), max(result.max or 0.0, most)
        if not mean <= tolerance:
            raise Defect(f"engine and learner differ by {mean:.2g} with the weights of {version}")
        if version < STEPS:
            learner.step(batch)
    if result.greedy[0] < result.greedy[1]:
        raise Defect("greedy tokens are others than generate's")
    result.changed = changed(before, learner.model)
    learner.export(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    logits = [logits_of(learner.model, ids) for ids in prompts]
    engine.close()
    # In another process, as whoever loads it: vLLM changes transformers' classes in its own.
    spawned = multiprocessing.get_context("spawn")
    settings.append(f"model={folder / 'model'}")
    with ProcessPoolExecutor(1, spawned) as process:
        result.saved = process.submit(saved_difference, logits, folder, prompts).result()
        if not result.saved <= CLOSE:
            raise Defect(f"the exported model's logits differ by {result.saved:.2g}")
        result.again = process.submit(goes_on, settings, batch).result()


class Defect(Exception):
    """Something is wrong, and nothing said so."""


def greedy_equal(engine: RolloutEngine, model: Any, prompts: list[list[int]]) -> tuple[int, int]:
    requests = [Request(i, ids, 1, i) for i, ids in enumerate(prompts)]
    ours = {r.index: one.token_ids.tolist() for r, [one] in engine.generate(requests, GREEDY)}
    equal = 0
    for i, ids in enumerate(prompts):
        at = torch.tensor([ids])
        with torch.no_grad():
            theirs = model.generate(
                at,
                attention_mask=torch.ones_like(at),
                do_sample=False,
                max_new_tokens=TOKENS,
                eos_token_id=0,
                pad_token_id=1,
            )[0, len(ids) :]
        equal += ours[i] == theirs.tolist()
    return equal, len(prompts)


def sampled(
    engine: RolloutEngine, learner: LocalLearner, prompts: list[list[int]], version: int
) -> tuple[TrainBatch, float, float]:
    """Rows to learn from, half of them rewarded, and how far engine and learner are apart."""
    requests = [Request(i, ids, 4, 100 * version + i) for i, ids in enumerate(prompts)]
    rows = [
        TrainRow(request.prompt_ids, one.token_ids, one.logprobs, 1.0 if j % 2 else -1.0)
        for request, rollouts in engine.generate(requests, SAMPLED)
        for j, one in enumerate(rollouts)
    ]
    scores = np.concatenate(learner.score([(r.prompt_ids, r.response_ids) for r in rows]))
    apart = np.abs(np.concatenate([r.engine_logprobs for r in rows]) - scores)
    for row in rows:
        row.old_logprobs = None
    tokens = sum(len(r.response_ids) for r in rows)
    return TrainBatch(rows, tokens, len(rows)), float(apart.mean()), float(apart.max())


def changed(before: dict[str, torch.Tensor], model: Any) -> tuple[int, int]:
    named = dict(model.named_parameters())
    if strange := [name for name, p in named.items() if not torch.isfinite(p).all()]:
        raise Defect(f"{strange[0]} is not finite after the steps")
    return sum(not torch.equal(before[n], named[n]) for n in before), len(named)


def logits_of(model: Any, ids: list[int]) -> torch.Tensor:
    with torch.no_grad():
        return model(input_ids=torch.tensor([ids]), use_cache=False).logits


def saved_difference(logits: list[torch.Tensor], folder: Path, prompts: list[list[int]]) -> float:
    """Between the learner's and those of the model that it wrote, at most."""
    loaded = load_model(str(folder / "model"), "float32", CPU)
    pairs = zip(logits, prompts, strict=True)
    return max(float((ours - logits_of(loaded, ids)).abs().max()) for ours, ids in pairs)


def goes_on(settings: list[str], batch: TrainBatch) -> bool:
    """One step more, from the saved model."""
    learner = LocalLearner.open(load_recipe("nano", settings), load_tokenizer("nano"))
    learner.step(batch)
    changed({}, learner.model)
    return True


def child(family: str, engine: str, folder: Path, answer: Connection) -> None:
    os.setsid()  # so that vLLM's own processes end with this one
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    logging.set_verbosity_error()
    result, start = Result(), time.perf_counter()
    try:
        round_of(family, engine, folder, result)
    except SRPOError as error:
        result.refused = str(error)
    except Defect as error:
        result.failed = str(error)
    except Exception as error:
        result.failed = in_one_line(error, 300)
    result.seconds = time.perf_counter() - start
    answer.send(json.dumps(asdict(result)))
    os._exit(0)  # engines may leave threads


def in_own_process(family: str, engine: str, limit: float) -> Result:
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    folder = Path(tempfile.mkdtemp())
    process = context.Process(target=child, args=(family, engine, folder, theirs))
    process.start()
    theirs.close()
    try:
        if not ours.poll(limit):
            return Result(failed=f"nothing after {timedelta(seconds=limit)}")
        found = Result(**json.loads(ours.recv()))
        place = str(folder)
        found.failed = found.failed.replace(place, "FOLDER")
        found.refused = found.refused.replace(place, "FOLDER")
        return found
    except EOFError:
        process.join()
        return Result(failed=f"its process ended with {process.exitcode}")
    finally:
        if process.is_alive() and process.pid:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                process.kill()
        process.join()
        shutil.rmtree(folder, ignore_errors=True)


def line(family: str, result: Result) -> str:
    """A row of the page."""

    def share(of: tuple[int, int] | None) -> str:
        return "" if of is None else f"{of[0]}/{of[1]}"

    def number(value: float | None) -> str:
        return "" if value is None else f"{value:.1g}"

    cells = [family, f"`{result.model}`" if result.model else "", share(result.greedy)]
    cells += [number(result.mean), number(result.max), share(result.changed), number(result.saved)]
    cells += ["yes" if result.again else "", result.verdict().replace("|", "\\|")]
    return "| " + " | ".join(cells) + " |"


HEADER = """\
| Family | Class | Greedy | Mean | Max | Changed | Saved | Goes on | |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
"""
TITLE = """\
# Architectures

Small models at random weights, one a family, each through a whole round:
`python benchmarks/architectures.py` and `python benchmarks/architectures.py --engine vllm` wrote
this page. It is about code paths, not about what a pretrained model learns.

- *Greedy*: prompts to which the engine's greedy answer is, token for token, that of transformers'
  `generate`; the engine decodes prompts of several lengths side by side, `generate` one at a time.
- *Mean*, *Max*: |engine's - learner's log-probability| of sampled tokens in nats, before training
  and after each of two steps; the worst mean, and the worst token.
- *Changed*: tensors that two steps changed; all are finite. Experts that no token chose stay.
- *Saved*: the largest difference between the learner's logits and those of the model that it saved,
  loaded by transformers.
- *Goes on*: the saved model was opened and trained one step more.
"""
NOTES = {
    "transformers": "",
    "vllm": """
GPT-OSS starts, and is right with the weights of its files, but does not train. vLLM's
`_load_weights_other` copies new experts and attention sinks straight into its parameters, past the
loaders that its reload works by, and they do not arrive: changing the learner's experts
(`gate_up_proj` 1.06, `down_proj` 0.92, `gate_up_proj_bias` 0.14 nats) or sinks (0.009) leaves
engine and learner so far apart; after a change of router, norms or projections they agree to 1e-6.
The freshness check stops such a run.

`Chunked prefill is required for mamba cache mode 'align'`: srpo shares prompts' prefixes and reads
a prompt in one piece on the CPU, and vLLM does not take the two together for layers with a state.

`do_not_compile`: vLLM runs these families by transformers' classes and patches those, under the
learner too. That is mended since; OLMo 2 was run again and trains. Its saved model cannot be loaded
in the same process, vLLM's patch being still there, so that row ends before *Saved*. The others of
that error were not run again. Cohere 2 is off from the start, before any update: not yet explained.
Families that are missing here were not tried.
""",
}


def versions(engine: str) -> str:
    found = f"transformers {transformers.__version__}, torch {torch.__version__}"
    found += f", {installed_vllm()}" if engine == "vllm" else ""
    return f"{found}, Python {platform.python_version()}, float32 on the CPU"


def write_page(page: Path) -> None:
    parts = [TITLE]
    for engine in ("transformers", "vllm"):
        file = results_file(page, engine)
        if not file.exists():
            continue
        kept = json.loads(file.read_text(encoding="utf-8"))
        results = {f: Result(**kept["rows"][f]) for f in FAMILIES if f in kept["rows"]}
        trains = sum(r.verdict() == "trains" for r in results.values())
        refused = sum(bool(r.refused) for r in results.values())
        parts.append(
            f"## `rollout.engine: {engine}`\n\n{kept['versions']}: {trains} of {len(results)}"
            f" families train, {refused} refused, {len(results) - trains - refused} fail.\n\n"
            + HEADER
            + "".join(line(f, r) + "\n" for f, r in results.items())
            + NOTES[engine]
        )
    page.write_text("\n".join(parts), encoding="utf-8")


def results_file(page: Path, engine: str) -> Path:
    return page.with_name(f"{page.stem}-{engine}.json")


def keep(page: Path, engine: str, family: str, result: Result) -> None:
    file = results_file(page, engine)
    rows = json.loads(file.read_text(encoding="utf-8"))["rows"] if file.exists() else {}
    rows[family] = asdict(result)
    text = json.dumps({"versions": versions(engine), "rows": rows}, indent=1)
    file.write_text(text + "\n", encoding="utf-8")


def main(
    families: Annotated[
        list[str] | None, typer.Argument(help="All, unless some are named.")
    ] = None,
    engine: Annotated[Literal["transformers", "vllm"], typer.Option()] = "transformers",
    page: Annotated[Path, typer.Option(help="Where the page is written.")] = PAGE,
    limit: Annotated[float, typer.Option(help="Seconds for a family.")] = 240.0,
) -> None:
    if strange := set(families or ()) - FAMILIES.keys():
        raise typer.BadParameter(f"{sorted(strange)}; there are {', '.join(FAMILIES)}")
    if engine == "vllm":
        import_vllm()  # once for all
    print(versions(engine))
    print(HEADER, end="", flush=True)
    for family in families or FAMILIES:
        result = in_own_process(family, engine, limit)
        print(line(family, result), flush=True)
        keep(page, engine, family, result)
        write_page(page)
    sys.exit(0)


if __name__ == "__main__":
    typer.run(main)
