"""Rollouts by a `vllm serve` somewhere else.

Start the server where srpo is installed beside vLLM, on a machine that sees `output_dir` under the
same path as the learner, since new weights are read from there:

    VLLM_SERVER_DEV_MODE=1 vllm serve MODEL --dtype float32 --max-model-len 2048 \\
        --generation-config vllm --logprobs-mode processed_logprobs \\
        --worker-extension-cls srpo.rollout.vllm.worker.FreshWeights

with MODEL and --dtype as in the recipe; the error for a server that does not answer gives the whole
line for a run. Development mode opens the calls that change weights to everybody who reaches the
port: keep it in a network of your own. A key (VLLM_API_KEY) is passed on.

The weights in the server carry a label. A server that was restarted has none, gets the current
weights, and goes on; one whose label is another run's is an error.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Event, Lock
from typing import Any, TypeVar

from srpo.errors import EngineError
from srpo.rollout.engine import Finished, Request, Sampling
from srpo.rollout.jobs import Job, check_lengths, finish
from srpo.rollout.service import BUSY, RefusedError, Service, UnreachableError
from srpo.rollout.vllm.setup import CPU_BATCH_TOKENS, LOGPROBS_MODE, VllmSetup
from srpo.rollout.vllm.weights_folder import WeightsFolder
from srpo.rollout.vllm.worker import WORKER_EXTENSION
from srpo.types import Rollout, UserError
from srpo.weights import WeightSource

T = TypeVar("T")


class VllmServer:
    """A RolloutEngine around a server, which it shares with nobody."""

    def __init__(
        self,
        setup: VllmSetup,
        weights: WeightsFolder,
        message: Callable[[str], None] = lambda _: None,
    ):
        """Reach the server and give it the model's weights. Raises UserError.

        Args:
            weights: through which new weights go; the server sees it under the same path.
            message: is told when the server was restarted.
        """
        assert setup.config.server_url
        self.service = Service(setup.config.server_url)
        self.setup, self.weights, self.message = setup, weights, message
        self.run, self.lock = uuid.uuid4().hex, Lock()
        self.doubtful = Event()  # weights may be gone
        self._connect()
        self.pool = ThreadPoolExecutor(setup.config.max_rows)

    def generate(self, requests: list[Request], sampling: Sampling) -> Finished:
        """Yield finished groups. Raises UserError for a request that the context cannot hold.

        Each rollout is a request of its own, with its own seed; the server's prefix cache shares
        the prompt.
        """
        check_lengths(requests, sampling, self.setup.context)
        self.doubtful.set()
        # The caller may stop early; the weights must not change under what is out.
        submit = lambda job: self.pool.submit(self._sample, job, sampling)  # noqa: E731
        with closing(finish(requests, submit, self.service.closing)) as finished:
            yield from finished

    def load_weights(self, source: WeightSource) -> None:
        """By way of the folder."""
        self.load_folder(str(self.weights.write(source)), source.version)

    def load_folder(self, folder: str, version: int) -> None:
        """Load the weights of a folder in Hugging Face format, which is kept until the next."""
        self.folder, self.version = folder, version
        try:
            self._persist(self._load)
        except RefusedError as error:
            raise EngineError(f"the vLLM server cannot load {folder}: {error}") from error

    def release(self) -> None:
        """The server's memory is its own."""

    def close(self) -> None:
        """The server stays, with the weights that it has."""
        self.service.closing.set()
        self.pool.shutdown(cancel_futures=True)
        self.weights.remove()

    @property
    def label(self) -> str:
        """What the weights in the server are called."""
        return f"{self.run}-{self.version}"

    def _connect(self) -> None:
        model = self.setup.model
        try:
            served = self._served()
            if served["logprobs_mode"] != LOGPROBS_MODE:
                raise RefusedError(f"its --logprobs-mode is {served['logprobs_mode']}")
            if served["max_model_len"] < self.setup.context:
                raise RefusedError(f"its --max-model-len {served['max_model_len']} is too short")
            self.name = self.service.get("/v1/models")["data"][0]["id"]
            self.folder, self.version = str(Path(model).absolute()), 0
            if not Path(model).exists():  # a hub id
                self.folder = model
            self._load()
        except (UnreachableError, RefusedError) as error:
            raise UserError(
                f"rollout.server_url: {self.service.url!r} is no server to train with: {error};"
                f" start it with: {start_command(self.setup)}"
            ) from error

    def _load(self) -> None:
        folder = {"folder": self.folder, "label": self.label}
        self.service.post("/collective_rpc", {"method": "replace_weights", "kwargs": folder})
        for _ in range(50):  # the last request may not have given back its blocks yet
            if self.service.post("/reset_prefix_cache", {})["success"]:
                return
            time.sleep(0.1)
        raise RefusedError("its prefix cache is in use; does somebody else use this server?")

    def _served(self) -> dict[str, Any]:
        """What every worker says, if all say the same. See `FreshWeights.served`."""
        first, *others = self.service.post("/collective_rpc", {"method": "served"})["results"]
        if any(other != first for other in others):
            raise RefusedError(f"its workers differ: {first}, {others}")
        return first

    def _sample(self, job: Job, sampling: Sampling) -> Rollout:
        body = {
            "model": self.name,
            "prompt": job.prompt_ids,
            "max_tokens": sampling.max_new_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": job.seed,
            "ignore_eos": True,  # in favour of our own list
            "stop_token_ids": sorted(self.setup.eos),
            "logprobs": 0,  # of the sampled token alone
            "return_token_ids": True,
            # Nothing that the model's own generation config would add.
            **{"top_k": sampling.top_k, "min_p": 0.0, "repetition_penalty": 1.0},
            **{"presence_penalty": 0.0, "frequency_penalty": 0.0},
            # Tags may be special tokens, and a stop text may be one of them.
            "stop": list(sampling.stop),
            **{"include_stop_str_in_output": True, "skip_special_tokens": False},
        }

        def attempt() -> Rollout:
            self._settle()
            try:
                choice = self.service.post("/v1/completions", body, BUSY)["choices"][0]
                return self._rollout(choice, sampling.stop)
            except UnreachableError:
                self.doubtful.set()
                raise

        try:
            return self._persist(attempt)
        except RefusedError as error:
            raise EngineError(f"the vLLM server refused: {error}") from error

    def _settle(self) -> None:
        """Before sampling, where a restart may have thrown the weights away: are they there?"""
        with self.lock:
            if not self.doubtful.is_set():
                return
            label = self._served()["label"]
            if label is None:
                self.message("the vLLM server was restarted; it gets the current weights again")
                self._load()
            elif label != self.label:
                raise EngineError(f"another run has changed the weights of {self.service.url}")
            self.doubtful.clear()

    def _rollout(self, choice: dict[str, Any], stop: tuple[str, ...]) -> Rollout:
        ids = choice["token_ids"] or []
        logprobs = choice["logprobs"]["token_logprobs"] if ids else []
        return self.setup.rollout(ids, logprobs, choice["finish_reason"], self.version, stop)

    def _persist(self, action: Callable[[], T]) -> T:
        """Raises EngineError when there is no answer after all the waiting."""
        try:
            return self.service.persist(action)
        except UnreachableError as error:
            raise EngineError(
                f"the vLLM server {self.service.url} does not answer: {error}"
            ) from error


def start_command(setup: VllmSetup) -> str:
    """What starts a server that this run can use."""
    context, batch = setup.context, setup.context + CPU_BATCH_TOKENS
    cpu = f" --enforce-eager --no-enable-chunked-prefill --max-num-batched-tokens {batch}"
    return (
        f"VLLM_SERVER_DEV_MODE=1 vllm serve {setup.model} --dtype {setup.dtype}"
        f" --max-model-len {context}"
        f" --generation-config vllm --logprobs-mode {LOGPROBS_MODE}"
        f" --worker-extension-cls {WORKER_EXTENSION}" + (cpu if setup.device.type == "cpu" else "")
    )
