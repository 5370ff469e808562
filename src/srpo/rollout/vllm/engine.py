"""Rollouts by vLLM in the learner's own process, and on its device.

The step loop drives vLLM, so a group is handed out the moment its last row ends. On a GPU vLLM
sleeps while the learner learns: its weights and its KV cache are given back, and the new weights
come in when it wakes.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import Any

import torch
from transformers import AutoConfig, PreTrainedModel

from srpo.errors import EngineError, in_one_line
from srpo.rollout.engine import Finished, Request, Sampling
from srpo.rollout.jobs import Job, Jobs, check_lengths
from srpo.rollout.stops import is_stopped
from srpo.rollout.vllm.install import install_recipe, installed_vllm
from srpo.rollout.vllm.setup import CPU_BATCH_TOKENS, LOGPROBS_MODE, VllmSetup
from srpo.rollout.vllm.worker import WORKER_EXTENSION
from srpo.types import Rollout, UserError
from srpo.weights import WeightSource

# In this process, quietly, and without reports to vLLM's makers.
ENVIRONMENT = {"VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
DEFAULTS = {"VLLM_LOGGING_LEVEL": "CRITICAL", "VLLM_NO_USAGE_STATS": "1"}
CPU_BLOCK = 32  # tokens; vLLM's own 128 on the CPU would share no prefix of a short prompt


class VllmEngine:
    """A RolloutEngine around one vLLM engine, which it owns."""

    def __init__(self, setup: VllmSetup):
        """Start vLLM. Raises UserError when it is not there or does not start."""
        self.setup = setup
        self.sleeps, self.asleep = setup.device.type == "cuda", False
        self.vllm = import_vllm()
        check_device(self.vllm, setup.device)
        check_split(setup)
        options = engine_options(setup)
        if setup.device.type == "cpu":
            options |= cpu_options(setup)
            if setup.config.tensor_parallel > 1:  # its own choice wants a NUMA node for each
                os.environ.setdefault("VLLM_CPU_OMP_THREADS_BIND", cores_by_worker(setup))
        else:
            options |= {"gpu_memory_utilization": setup.config.gpu_memory_utilization}
            options |= {"enable_sleep_mode": True}
        self.llm = start_vllm(self.vllm, options)
        self.version = 0

    def generate(self, requests: list[Request], sampling: Sampling) -> Finished:
        """Yield finished groups. Raises UserError for a request that the context cannot hold.

        Rollouts are submitted one by one, each with its own seed, and share the prompt's prefix
        through the prefix cache.
        """
        assert not self.asleep, "release() is followed by load_weights()"
        check_lengths(requests, sampling, self.setup.context)
        jobs = Jobs(requests)
        try:
            while jobs.open:
                for job in jobs.next():
                    self._submit(job, sampling)
                for name, rollout in self._step(jobs, sampling.stop):
                    if group := jobs.take(name, rollout):
                        yield group
        finally:  # the caller may stop early
            with suppress(Exception):  # a broken engine has nothing to abort, and said why
                self.llm.abort_request(list(jobs.out))

    def load_weights(self, source: WeightSource) -> None:
        """Of one GPU: tensors do not reach the processes that vLLM has for several."""
        assert self.setup.config.tensor_parallel == 1, "several receive_weights()"
        self._replace("replace_weights", weights=iter(source.in_files))
        self.version = source.version

    def receive_weights(self, address: str, first: int, receivers: int, deadline_s: float) -> None:
        self.version, *_ = self._replace(
            "receive_weights",
            address=address,
            first=first,
            receivers=receivers,
            deadline_s=deadline_s,
        )

    def load_folder(self, folder: str, version: int) -> None:
        """As `load_weights`, of a folder in Hugging Face format."""
        self._replace("replace_weights", folder=folder)
        self.version = version

    def _replace(self, method: str, **arguments: Any) -> list[Any]:
        """By a method of `FreshWeights`; what each worker returns."""
        if self.asleep:
            torch.cuda.empty_cache()  # what the learner no longer needs
            self.llm.wake_up(["weights"])
        found = self.llm.collective_rpc(method, kwargs=arguments)
        if self.asleep:
            self.llm.wake_up(["kv_cache"])
            self.asleep = False
        # Cached keys and values of prompts are those of the old weights.
        assert self.llm.reset_prefix_cache(), "weights change between generations only"
        return found

    def release(self) -> None:
        """On a GPU, give back weights and KV cache. On the CPU vLLM cannot."""
        if self.sleeps and not self.asleep:
            self.llm.sleep(level=2)
            self.asleep = True

    def tie_workers(self) -> None:
        """Processes that vLLM has for several GPUs end with this one, whatever state they are in.
        For the thread that started it, if that stays."""
        if self.setup.config.tensor_parallel > 1:
            self.llm.collective_rpc("tie", kwargs={"parent": os.getpid()})

    def close(self) -> None:
        """Shut vLLM down: its parts of this process, and then this engine is no more. Two
        engines in one process would share them, and must not live side by side."""
        self.llm.engine_core.shutdown()

    def _submit(self, job: Job, sampling: Sampling) -> None:
        kinds = self.vllm.sampling_params.RequestOutputKind
        self.llm.add_request(
            job.name,
            {"prompt_token_ids": job.prompt_ids},
            self.vllm.SamplingParams(
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                top_k=sampling.top_k,
                max_tokens=sampling.max_new_tokens,
                seed=job.seed,
                ignore_eos=True,  # in favour of our own list
                stop_token_ids=sorted(self.setup.eos),
                logprobs=0,  # of the sampled token alone
                flat_logprobs=True,
                detokenize=False,
                # Its own stop texts want its own tokenizer; so we look at every token.
                output_kind=kinds.CUMULATIVE if sampling.stop else kinds.FINAL_ONLY,
            ),
        )

    def _step(self, jobs: Jobs, stop: tuple[str, ...]) -> Iterator[tuple[str, Rollout]]:
        """Decode one token for every row; the rollouts that this ends, by the jobs' names."""
        if not self.llm.has_unfinished_requests():  # dropped without a word
            lost = self.setup.rollout([], [], "abort", self.version)
            yield from [(name, lost) for name in jobs.out]
            return
        try:
            outputs = self.llm.step()
        except Exception as error:  # whatever broke, vLLM's state is lost with it
            raise EngineError(f"vLLM failed while decoding: {in_one_line(error)}") from error
        for output in outputs:
            [one] = output.outputs
            ids = list(one.token_ids)
            stopped = bool(stop) and is_stopped(self.setup.tokenizer, ids, stop)
            if not output.finished and not stopped:
                continue
            if not output.finished:
                self.llm.abort_request([output.request_id])
            logprobs = one.logprobs.logprobs if one.logprobs else []
            reason = "stop" if stopped else one.finish_reason
            yield (
                output.request_id,
                self.setup.rollout(ids, logprobs, reason, self.version, stop),
            )


def import_vllm() -> ModuleType:
    """The module. Raises UserError, with what to install, when it is not there or broken."""
    os.environ.update(ENVIRONMENT)
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import vllm  # pyright: ignore[reportMissingImports]
            import vllm.sampling_params  # pyright: ignore[reportMissingImports]

            vllm.LLMEngine  # noqa: B018  loaded at its first use: now
    except Exception as error:  # a build for another torch fails in many ways
        found = installed_vllm()
        why = f"{found} cannot be imported ({in_one_line(error)})" if found else "is not installed"
        raise UserError(
            f"rollout.engine: vllm {why}; {install_recipe()}; or use rollout.engine transformers"
        ) from error
    return vllm


def check_device(vllm: ModuleType, device: torch.device) -> None:
    """vLLM chooses the device by its build. Raises UserError when the learner's is another."""
    its = vllm.platforms.current_platform.device_type
    if its != device.type:
        raise UserError(
            f"rollout.engine: {installed_vllm()} runs on {its!r} here, and the learner on"
            f" {device.type!r}; change learner.device, or {install_recipe()}"
        )


def check_split(setup: VllmSetup) -> None:
    """Raises UserError where there are fewer GPUs, or cores, than parts of the weights."""
    parts, on_gpu = setup.config.tensor_parallel, setup.device.type == "cuda"
    there = torch.cuda.device_count() if on_gpu else len(os.sched_getaffinity(0))
    if parts > there:
        raise UserError(
            f"rollout.tensor_parallel: {parts}, and this machine has {there}"
            f" {'GPU' if on_gpu else 'core'}{'s' * (there != 1)}; use at most {there}"
        )


def start_vllm(vllm: ModuleType, options: dict[str, Any]) -> Any:
    """An LLMEngine. Raises UserError with vLLM's own words when it does not start."""
    try:
        # Families without code of its own vLLM runs by transformers' classes, which it patches, so
        # that models made before, such as the learner's, lack what only its own are given.
        PreTrainedModel.do_not_compile = True  # pyright: ignore[reportAttributeAccessIssue]
        with _own_threads(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return vllm.LLMEngine.from_engine_args(vllm.EngineArgs(**options))
    except Exception as error:
        raise UserError(
            f"rollout.engine: {installed_vllm()} did not start: {in_one_line(error)}; if memory is"
            " short, change rollout.gpu_memory_utilization or rollout.max_rows; if it is not the"
            f" version that srpo was written for, {install_recipe()}"
        ) from error


def engine_options(setup: VllmSetup) -> dict[str, Any]:
    """vLLM's engine arguments, on any device and in any process."""
    return {
        "model": setup.model,
        "trust_remote_code": False,
        "skip_tokenizer_init": True,
        "generation_config": "vllm",
        "dtype": setup.dtype,
        "max_model_len": setup.context,
        "max_num_seqs": setup.config.max_rows,
        "tensor_parallel_size": setup.config.tensor_parallel,
        "enable_prefix_caching": True,
        "logprobs_mode": LOGPROBS_MODE,
        "worker_extension_cls": WORKER_EXTENSION,
        "use_tqdm_on_load": False,
        "disable_log_stats": True,
    }


def cpu_options(setup: VllmSetup) -> dict[str, Any]:
    """What is different on the CPU."""
    return {
        "enforce_eager": True,
        "block_size": CPU_BLOCK,
        # Left alone, vLLM takes its share of all memory, used or not, and fills it at the start.
        "kv_cache_memory_bytes": cpu_cache_bytes(setup),
        # A prompt in two chunks would turn its seed's generator back, which the CPU's cannot.
        "enable_chunked_prefill": False,
        "max_num_batched_tokens": max(CPU_BATCH_TOKENS, setup.context, setup.config.max_rows),
    }


def cores_by_worker(setup: VllmSetup) -> str:
    """Our cores, shared out as vLLM wants it: `0,1|2,3`."""
    parts, cores = setup.config.tensor_parallel, sorted(os.sched_getaffinity(0))
    shares = [cores[i * len(cores) // parts : (i + 1) * len(cores) // parts] for i in range(parts)]
    return "|".join(",".join(map(str, share)) for share in shares)


def cpu_cache_bytes(setup: VllmSetup) -> int:
    """KV cache for max_rows responses of full length, at most its share of the free memory."""
    import psutil  # vLLM brings it

    found = AutoConfig.from_pretrained(setup.model, trust_remote_code=False)
    config = found.get_text_config()
    heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    token = 2 * config.num_hidden_layers * heads * size * getattr(torch, setup.dtype).itemsize
    blocks = setup.config.max_rows * (setup.context // CPU_BLOCK + 1) + 1
    free = setup.config.gpu_memory_utilization * psutil.virtual_memory().available
    return min(blocks * CPU_BLOCK * token, int(free))


@contextmanager
def _own_threads() -> Iterator[None]:
    """vLLM sets torch's threads for itself, and on the CPU forbids to change them again; the
    learner in this process wants them as they were."""
    setter, threads = torch.set_num_threads, torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads = setter
        torch.set_num_threads(threads)
