"""SRPO, top to bottom: stages, epochs, steps (arXiv 2504.14286).

    for each stage of the curriculum, until it is finished:
        sample a group for each of the next prompts, verify, record in the ledger
        turn rewards into advantages, learn, hand the weights to the engine
        at the end of an epoch, let History Resampling choose the next one's prompts

What surrounds it is in `srpo.run`: opening and closing, saving and loading, guards and clocks.
Everything that has state is in the checkpoints, so a run that is killed anywhere goes on as if
nothing had happened.
"""

from __future__ import annotations

from srpo.learner.batch import pack
from srpo.run.clock import Clock
from srpo.run.guards import check_version, finite
from srpo.run.parts import Parts
from srpo.run.signals import StopSignal
from srpo.run.state import RunState, save
from srpo.run.stepmetrics import cost_metrics, group_metrics, pool_metrics


class Trainer:
    """Plays the story with a run's parts, from wherever its state stands."""

    def __init__(self, parts: Parts, state: RunState, stop: StopSignal):
        self.parts, self.state, self.stop = parts, state, stop

    def run(self) -> str:
        """Train until the recipe is done; returns why it is. Raises Stopped at a signal."""
        p = self.parts
        if not self.state.stages:
            self.enter_stage("start")
        self.evaluate(self.state.point)
        if self.state.step == 0:
            save(p, self.state)
        while True:  # stage 1: math; stage 2: math and code
            reason = self.train_stage()
            if p.curriculum.is_last or self.budget_spent():
                break
            self.next_stage(reason)
        self.evaluate("final")
        save(p, self.state)  # in the middle of the epoch, where a longer run would go on
        p.sampler.decide(p.ledger)
        p.ledger.write(p.folder.ledger)
        return reason

    def train_stage(self) -> str:
        """Step after step, until the stage is finished or the run; returns why."""
        p = self.parts
        while True:
            if p.sampler.epoch_over and not p.ahead.pending:
                p.sampler.resample(p.ledger)
            reason = self.budget_spent() or p.curriculum.finished(p.sampler.size)
            if reason and not p.ahead.pending:  # what was sampled is learnt from
                return reason
            self.stop.check()
            self.train_step(last=bool(reason) or self.state.step + 1 == p.recipe.max_steps)
            self.evaluate(self.state.point)
            if self.state.step % p.recipe.checkpoint.every == 0:
                save(p, self.state)

    def train_step(self, last: bool) -> None:
        """Sample, verify, record, learn: one optimizer step, of a stage the last or not."""
        p, recipe, state, clock = self.parts, self.parts.recipe, self.state, Clock()
        state.step += 1
        collected, behind = p.ahead.take(state.step)
        groups = collected.groups
        version = check_version(groups, state.step - behind)
        stage, epoch = p.curriculum.stage.name, p.sampler.epoch
        p.ledger.record(stage, epoch, state.step, groups)
        pool = pool_metrics(groups, p.sampler)
        p.curriculum.observe(pool["accuracy/pool"])

        selected = p.sampler.select(groups)
        beside = p.ahead.sampling(state.step + 1, wanted=not last)
        faults = finite(p.folder, state.step, groups, recipe.advantage)
        with beside as sampled_beside, clock.phase("learn"), faults:
            p.observer.phase("learn", 0, 1)
            if not sampled_beside:
                p.engine.release()
            with_kl, masked = recipe.loss.kl_coef > 0, recipe.loss.mask_truncated
            batch = pack(selected, recipe.advantage, keep_all=with_kl, mask_truncated=masked)
            stats = p.learner.step(batch).row(with_kl)
            p.learner.release()
        with clock.phase("weights"):
            p.engine.load_weights(p.learner.publish(state.step))
        probe = p.freshness.probe()

        state.count(groups, batch, clock)
        row = {"step": state.step, "stage": stage, "epoch": epoch, "policy/version": version}
        row |= group_metrics(groups, len(selected)) | pool | stats | probe
        p.log(row | cost_metrics(collected, state, clock), groups)
        p.freshness.check(probe.get("mismatch/probe"))

    def next_stage(self, reason: str) -> None:
        """Leave a stage, in the middle of an epoch or not: evaluate, decide what was visited."""
        p = self.parts
        self.evaluate(p.curriculum.stage.name)
        p.sampler.decide(p.ledger)
        p.curriculum.advance()
        self.enter_stage(reason)
        save(p, self.state)

    def enter_stage(self, reason: str) -> None:
        stage, step = self.parts.curriculum.stage, self.state.step
        self.parts.sampler.enter(stage.name, stage.domains)
        self.state.stages.append({"name": stage.name, "entered_at_step": step, "reason": reason})
        self.parts.observer.stage(stage.name, reason)

    def budget_spent(self) -> str | None:
        """Why the whole run is over, or None."""
        recipe, state = self.parts.recipe, self.state
        if state.step >= recipe.max_steps:
            return f"max_steps: {recipe.max_steps} steps"
        if recipe.max_tokens and state.generated >= recipe.max_tokens:
            return f"max_tokens: {state.generated:,} generated tokens"
        return None

    def evaluate(self, point: str) -> None:
        state = self.state
        self.parts.evaluator.evaluate(point, state.step, state.generated, self.stop.check)
