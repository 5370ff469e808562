"""SRPO, top to bottom: stages, epochs, steps (arXiv 2504.14286).

    for each stage of the curriculum, until it is finished:
        sample a group for each of the next prompts, verify, record in the ledger
        turn rewards into advantages, learn, hand the weights to the engine
        at the end of an epoch, let History Resampling choose the next one's prompts

Everything that has state lives in `Trainer` and is in its checkpoints, so a run that is killed
anywhere goes on as if nothing had happened.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from srpo.algorithm.curriculum import Curriculum, stages_of
from srpo.algorithm.ledger import Ledger
from srpo.algorithm.sampler import Sampler
from srpo.data.prompts import Prompter
from srpo.data.sources import fingerprint, load_problems
from srpo.errors import EngineError, NotFiniteError, StaleWeightsError
from srpo.evaluation.evaluate import summarize
from srpo.learner.batch import TrainBatch, pack
from srpo.learner.learner import Learner
from srpo.metrics import MetricsWriter, Row
from srpo.models import check_context, load_model, load_tokenizer, model_path, pick_device
from srpo.observer import Observer
from srpo.recipe.load import load_recipe
from srpo.recipe.schema import Recipe
from srpo.rollout.collector import Collected, collect
from srpo.rollout.engine import RolloutEngine, Sampling
from srpo.rollout.freshness import PROMPTS, TOLERANCE, FreshnessCheck
from srpo.rollout.transformers.engine import TransformersEngine, eos_ids
from srpo.rollout.vllm.placement import open_vllm
from srpo.rollout.vllm.setup import VllmSetup
from srpo.run.checkpoint import load_newest, save_checkpoint
from srpo.run.folder import RunFolder
from srpo.run.signals import StopSignal
from srpo.run.stepmetrics import group_metrics, pool_accuracy
from srpo.run.trackers import check_trackers, open_trackers
from srpo.types import Group, Problem, Reward, TrainingError, UserError, Verdict
from srpo.verifiers.pool import VerifierPool
from srpo.verifiers.reward import reward

TRAIN_SEED, EVAL_SEED = 0, 1  # separate the random streams of training and evaluation


@dataclass
class RunEnd:
    """How `Trainer.run` ended. `signal` is set when one asked for the stop."""

    finished: bool
    step: int
    reason: str
    summary: dict[str, Any] | None = None
    signal: int | None = None


class Trainer:
    """A run: its parts, and the story that they play."""

    def __init__(self, recipe: Recipe, observer: Observer):
        """Load and check everything; nothing is written. Raises UserError."""
        self.recipe, self.observer = recipe, observer
        seed = recipe.seed
        self.problems = load_problems(recipe.data.train, "data.train", seed)
        self.fingerprint = fingerprint(self.problems)
        self.held_out = load_problems(recipe.data.eval, "data.eval", seed)
        self.tokenizer = load_tokenizer(recipe.model)
        self.prompter = Prompter(self.tokenizer, recipe.data)
        check_trackers(list(recipe.log.trackers))
        longest = 0  # too long a prompt shall show now, not in an hour
        for problem in (*self.problems, *self.held_out):
            longest = max(longest, len(self.prompter.ids(problem)))
        self.curriculum = Curriculum(recipe.curriculum)
        self.ledger = Ledger(self.problems, [s.name for s in stages_of(recipe.curriculum)])
        self.sampler = Sampler(self.problems, recipe.sampler, seed, recipe.rollout.group_size)
        self.learner = self._open_learner()
        check_context(self.learner.model, longest, recipe.rollout.max_new_tokens)
        self.folder = RunFolder(Path(recipe.output_dir))
        self.engine = self._open_engine(longest + recipe.rollout.max_new_tokens)
        self.freshness = self._open_freshness()
        self.metrics = MetricsWriter(self.folder.metrics)
        self.claim = ExitStack()  # of the folder, until the run ends
        self.step = 0
        self.generated = self.trained = 0
        self.seconds = 0.0
        self.entered: list[dict[str, Any]] = []
        self.evals: list[dict[str, Any]] = []

    @classmethod
    def start(cls, recipe: Recipe, observer: Observer) -> Trainer:
        """A new run in recipe.output_dir, which must not hold one already."""
        RunFolder(Path(recipe.output_dir)).check_free()
        trainer = cls(recipe, observer)
        trainer._open_verifiers().close()  # no sandbox here? That shall show before a run exists
        trainer.folder.create(recipe)
        trainer.claim.enter_context(trainer.folder.claimed())
        trainer._enter_stage("start")
        return trainer

    @classmethod
    def resume(cls, run: Path, observer: Observer) -> Trainer:
        """Go on with the run in `run` from its newest whole checkpoint."""
        folder = RunFolder(run)
        folder.check_is_run()
        recipe = load_recipe(folder.recipe).model_copy(update={"output_dir": str(run)})
        trainer = cls(recipe, observer)
        trainer.claim.enter_context(trainer.folder.claimed())
        state = load_newest(folder.checkpoints, observer.message)
        if state is None:
            trainer._enter_stage("start")
        else:
            trainer._load_state(*state)
        folder.cut_back(trainer.step, trainer.metrics.rows, trainer.evals)
        return trainer

    def run(self) -> RunEnd:
        """Train until the recipe is done or a signal asks to stop; then everything is saved."""
        recipe, folder = self.recipe, self.folder
        self.metrics.trackers = open_trackers(
            list(recipe.log.trackers), folder.path, recipe.model_dump(mode="json")
        )
        self.observer.started(recipe, folder.path, self.step)
        with (
            self.claim,
            StopSignal() as stop,
            self._open_verifiers() as self.verifiers,
            folder.disk_errors(),
        ):
            try:
                self._check_fresh(self._weights_difference())
                reason = self._train(stop)
                if reason is None:
                    self._save()
                    return RunEnd(False, self.step, "stopped by a signal", signal=stop.number)
                return RunEnd(True, self.step, reason, self._finish(reason))
            except EngineError as error:
                raise EngineError(
                    f"step {self.step}: {error}; nothing of this step is kept. Go on from the last"
                    f" checkpoint with: {self.folder.resume_command}"
                ) from error
            finally:
                self.engine.close()
                self.metrics.close()
                self.observer.closed()

    def _train(self, stop: StopSignal) -> str | None:
        """The story. Returns why training is over, or None when a signal interrupts it."""
        if self.step == 0:
            self._evaluate("base")
            self._save()
        while stop.number is None and self.step < self.recipe.max_steps:
            if self.sampler.epoch_over:
                self.sampler.resample(self.ledger)
            if reason := self.curriculum.finished(self.sampler.size):
                if self.curriculum.is_last:
                    return reason
                self._next_stage(reason)
                continue
            if (most := self.recipe.max_tokens) and self.generated >= most:
                return f"max_tokens: {self.generated:,} generated tokens"
            self._step()
            if (every := self.recipe.eval.every) and self.step % every == 0:
                self._evaluate(f"step {self.step}")
            if self.step % self.recipe.checkpoint.every == 0:
                self._save()
        if stop.number is not None:
            return None
        return f"max_steps: {self.recipe.max_steps} steps"

    def _step(self) -> None:
        """Sample, verify, record, learn: one optimizer step."""
        start = time.perf_counter()
        self.step += 1
        collected = self._collect()
        groups = collected.groups
        self._check_errors(groups)
        self._check_finite(groups)
        stage, epoch = self.curriculum.stage.name, self.sampler.epoch
        self.ledger.record(stage, epoch, self.step, groups)
        accuracy = pool_accuracy(
            groups, self.sampler.size, self.sampler.dropped, self.sampler.dropped_correct
        )
        self.curriculum.observe(accuracy)

        learning = time.perf_counter()
        selected = self.sampler.select(groups)
        batch = pack(selected, self.recipe.advantage, keep_all=self.recipe.loss.kl_coef > 0)
        self.observer.phase("learn", 0, 1)
        self.engine.release()
        try:
            stats = self.learner.step(batch)
        except NotFiniteError as error:
            raise self._diverged(str(error), batch) from error
        self.learner.release()
        loading = time.perf_counter()
        self.engine.load_weights(self.learner.weights(), self.step)
        probing = time.perf_counter()
        difference = self._weights_difference()
        end = time.perf_counter()
        self.generated += sum(g.tokens for g in groups)
        self.trained += batch.trained_tokens
        self.seconds += end - start
        row = {
            "step": self.step,
            "stage": stage,
            "epoch": epoch,
            **group_metrics(groups, len(selected)),
            "accuracy/pool": accuracy,
            "pool/size": self.sampler.size,
            "pool/dropped": self.sampler.dropped,
            **stats.row(with_kl=self.recipe.loss.kl_coef > 0),
            "mismatch/probe": difference,
            "tokens/generated": self.generated,
            "tokens/trained": self.trained,
            "seconds/rollout": collected.rollout_seconds,
            "seconds/verify": collected.verify_seconds,
            "seconds/learn": loading - learning,
            "seconds/weights": probing - loading,
            "seconds/probe": None if difference is None else end - probing,
            "seconds/step": end - start,
            "seconds/total": self.seconds,
            "tokens/s": sum(g.tokens for g in groups) / (end - start),
        }
        self._log({k: v for k, v in row.items() if v is not None}, groups)
        self._check_fresh(difference)

    def _collect(self) -> Collected:
        """Groups for one step. Dynamic sampling goes on until enough of them inform, the epoch
        ends or its rounds are used up; what it throws away is recorded and paid for."""
        total = Collected([], 0.0, 0.0)
        for _ in range(self.sampler.rounds):
            problems = self.sampler.next_prompts(total.groups)
            if not problems:
                break
            more = self._roll_out(
                problems, self.recipe.rollout.group_size, (TRAIN_SEED, self.step, len(total.groups))
            )
            total.groups += more.groups
            total.rollout_seconds += more.rollout_seconds
            total.verify_seconds += more.verify_seconds
        return total

    def _roll_out(self, problems: list[Problem], n: int, key: tuple[int, ...]) -> Collected:
        seeds = np.random.SeedSequence([self.recipe.seed, *key]).generate_state(
            len(problems), np.uint64
        )
        return collect(
            self.engine,
            [(p, self.prompter.ids(p)) for p in problems],
            n,
            [int(s >> np.uint64(1)) for s in seeds],  # torch takes 63 bits
            self._sampling(),
            self.verifiers.submit,
            self._reward,
            self.observer.phase,
        )

    def _sampling(self) -> Sampling:
        config = self.recipe.rollout
        return Sampling(config.temperature, config.top_p, config.max_new_tokens)

    def _reward(self, problem: Problem, text: str, verdict: Verdict) -> Reward:
        return reward(problem, text, verdict, self.recipe.reward)

    def _check_errors(self, groups: list[Group]) -> None:
        """Learning from what our failures left over would be learning from noise."""
        errors = sum(len(g.rollouts) - len(g.valid()) for g in groups)
        rollouts = sum(len(g.rollouts) for g in groups)
        limit = self.recipe.verifier.max_error_share
        if errors > limit * rollouts:
            verdicts = (r.verdict for g in groups for r in g.rollouts)
            why = next(v.detail for v in verdicts if v and v.outcome == "error")
            raise TrainingError(
                f"step {self.step}: {errors} of {rollouts} verdicts are errors of the machinery,"
                f" more than verifier.max_error_share {limit}; the first: {why}."
                f" Mend it (srpo doctor), then: {self.folder.resume_command}"
            )

    def _weights_difference(self) -> float | None:
        """Between the engine's and the learner's, where an engine may have failed to take them."""
        if self.freshness is None:
            return None
        return self.freshness.difference(self.engine, self.learner.score)

    def _check_fresh(self, difference: float | None) -> None:
        """Answers of a policy that is gone teach nothing; the learner's own state is sound."""
        if self.freshness is None or difference is None:
            return
        try:
            self.freshness.check(difference)
        except StaleWeightsError as error:
            self._save()
            raise StaleWeightsError(
                f"step {self.step}: {error}. The step is saved; go on with:"
                f" {self.folder.resume_command}"
            ) from error

    def _check_finite(self, groups: list[Group]) -> None:
        """Weights that diverged may sample nonsense without any gradient; that shall show too."""
        if not all(isfinite(sum(r.logprobs)) for g in groups for r in g.rollouts):
            batch = pack(groups, self.recipe.advantage, keep_all=True)
            raise self._diverged(
                f"step {self.step}: the policy's log-probabilities are not finite; try a lower"
                " learner.lr, from the last checkpoint or anew",
                batch,
            )

    def _diverged(self, why: str, batch: TrainBatch) -> TrainingError:
        path = self.folder.save_failed_step(self.step, batch)
        return TrainingError(f"{why}; the step's batch is in {path}")

    def _next_stage(self, reason: str) -> None:
        """Leave a stage, in the middle of an epoch or not: decide what was visited, evaluate."""
        self.sampler.decide(self.ledger)
        self._evaluate(self.curriculum.stage.name)
        self.curriculum.advance()
        self._enter_stage(reason)
        self._save()

    def _enter_stage(self, reason: str) -> None:
        stage = self.curriculum.stage
        self.sampler.enter(stage.name, stage.domains)
        self.entered.append({"name": stage.name, "entered_at_step": self.step, "reason": reason})
        self.observer.stage(stage.name, reason)

    def _evaluate(self, point: str) -> None:
        """pass@1 and pass@n on the held-out problems, once for each point of a run."""
        wanted = self.held_out and (point in self.recipe.eval.at or point.startswith("step "))
        if not wanted or any(e["point"] == point for e in self.evals):
            return
        n, groups = self.recipe.eval.samples, []
        chunk = max(1, self.recipe.rollout.max_rows // n)
        for at in range(0, len(self.held_out), chunk):
            problems = self.held_out[at : at + chunk]
            groups += self._roll_out(problems, n, (EVAL_SEED, at)).groups
            self.observer.phase("evaluate", len(groups), len(self.held_out))
        self._check_errors(groups)
        result = {
            "point": point,
            "step": self.step,
            "generated_tokens": self.generated,
            "fingerprint": fingerprint(self.held_out),
        }
        self.evals.append({**result, **summarize(groups)})
        self.folder.write_evals(self.evals)
        self.observer.evaluated(point, self.evals[-1])

    def _finish(self, reason: str) -> dict[str, Any]:
        self._evaluate("final")
        self.sampler.decide(self.ledger)
        self._save()
        return self.folder.finish(self.learner.model, self.tokenizer, self._summary(reason))

    def _summary(self, reason: str) -> dict[str, Any]:
        return {
            "ended": reason,
            "steps": self.step,
            "generated_tokens": self.generated,
            "trained_tokens": self.trained,
            "seconds": round(self.seconds, 3),
            "informative_groups": self.ledger.informative_by_epoch(),
            "stages": self.entered,
            "eval": self.evals,
        }

    def _log(self, row: Row, groups: list[Group]) -> None:
        self.metrics.log(row)
        if self.recipe.log.rollouts:
            self.folder.write_rollouts(row, groups)
        self.observer.step(row)

    def _open_learner(self) -> Learner:
        """The copy of the weights that learns, in float32."""
        recipe = self.recipe
        model = load_model(recipe.model, "float32", pick_device(recipe.learner.device))
        return Learner(
            model,
            self.tokenizer.pad_token_id or 0,
            recipe.learner,
            recipe.loss,
            recipe.rollout.temperature,
            recipe.rollout.top_p,
        )

    def _open_engine(self, context: int) -> RolloutEngine:
        """The copy of the weights that decodes; `context` is the most tokens of a row."""
        recipe, device = self.recipe, self.learner.model.device
        if recipe.rollout.engine == "vllm":
            setup = VllmSetup(
                model_path(recipe.model),
                self.tokenizer,
                eos_ids(self.learner.model, self.tokenizer),
                recipe.rollout,
                recipe.learner.dtype,
                device,
                context,
            )
            return open_vllm(setup, self.folder.engine_weights, self.observer.message)
        copy = load_model(recipe.model, recipe.learner.dtype, device)
        return TransformersEngine(copy, self.tokenizer, recipe.rollout.max_rows)

    def _open_freshness(self) -> FreshnessCheck | None:
        """For engines that may fail to take new weights; transformers' copy cannot."""
        config = self.recipe.rollout
        if config.engine == "transformers":
            return None
        prompts = [self.prompter.ids(p) for p in self.problems[:PROMPTS]]
        tolerance = config.freshness_tolerance or TOLERANCE[self.recipe.learner.dtype]
        return FreshnessCheck(prompts, self._sampling(), tolerance)

    def _open_verifiers(self) -> VerifierPool:
        domains = {p.domain for p in (*self.problems, *self.held_out)}
        return VerifierPool.of(self.recipe.verifier, domains)

    def _save(self) -> None:
        self.ledger.write(self.folder.ledger)
        save_checkpoint(
            self.folder.checkpoints,
            self.step,
            self.learner.state_dict(),
            self.ledger.state_dict(),
            {
                "step": self.step,
                "generated": self.generated,
                "trained": self.trained,
                "seconds": self.seconds,
                "entered": self.entered,
                "evals": self.evals,
                "metrics": self.metrics.state_dict(),
                "curriculum": self.curriculum.state_dict(),
                "sampler": self.sampler.state_dict(),
                "problems": self.fingerprint,
            },
            self.recipe.checkpoint.keep,
        )

    def _load_state(
        self, learner: dict[str, Any], ledger: dict[str, np.ndarray], plain: dict[str, Any]
    ) -> None:
        if plain["problems"] != self.fingerprint:
            raise UserError(
                f"data.train: the problems are not those that {self.folder.path} was trained on;"
                " put the data files back as they were, or start a new run"
            )
        for name in ("step", "generated", "trained", "seconds", "entered", "evals"):
            setattr(self, name, plain[name])
        self.learner.load_state_dict(learner)
        self.ledger.load_state_dict(ledger)
        self.metrics.load_state_dict(plain["metrics"])
        self.curriculum.load_state_dict(plain["curriculum"])
        self.sampler.load_state_dict(plain["sampler"])
        self.engine.load_weights(self.learner.weights(), self.step)
