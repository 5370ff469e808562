"""The reports of an evaluation, beside its result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from srpo.files import write_whole
from srpo.report.evaluation.files import read_result
from srpo.report.evaluation.page import conclusions, evaluation_page
from srpo.report.evaluation.sample import SetSample, sample
from srpo.report.evaluation.sheet import k_sheet, result_sheet, short_sheet
from srpo.report.sheet import Sheet, escape, table_lines


def write_reports(out: Path) -> Sheet:
    """Write report.html, report.md and model-index.json; returns a short table. Raises
    UserError."""
    result = read_result(out)
    samples = sample(out, result["sets"])
    write_whole(out / "report.html", evaluation_page(result, samples))
    write_whole(out / "report.md", _markdown(result, samples))
    write_whole(out / "model-index.json", json.dumps(model_index(result), indent=1) + "\n")
    return short_sheet(result)


def _markdown(result: dict[str, Any], samples: list[SetSample]) -> str:
    """For a model card."""
    lines = [*table_lines(result_sheet(result)), *table_lines(k_sheet(result))]
    lines += [f"- {escape(text)}" for text in conclusions(result, samples)]
    return "\n".join(lines) + "\n"


def model_index(result: dict[str, Any]) -> dict[str, Any]:
    """The scores in the hub's form, `model-index` of a model card's front matter
    (https://huggingface.co/docs/hub/model-cards#evaluation-results)."""
    from huggingface_hub import EvalResult, ModelCardData

    n = result["config"]["samples"]
    found = [
        EvalResult(
            task_type="text-generation",
            dataset_type=_dataset(one),
            dataset_name=one["title"],
            dataset_revision=one["data"].get("revision"),
            metric_type=f"avg@{n}",
            metric_name=f"pass@1, mean of {n} responses",
            metric_value=round(100 * one["numbers"]["avg@n"], 2),
            metric_args={
                "low": round(100 * one["numbers"]["over_questions"]["low"], 2),
                "high": round(100 * one["numbers"]["over_questions"]["high"], 2),
                "problems": one["numbers"]["problems"],
                "sha256": one["data"]["sha256"],
            },
        )
        for one in result["sets"]
    ]
    name = Path(str(result["model"])).name or "model"
    return {
        "model-index": ModelCardData(model_name=name, eval_results=found).to_dict()["model-index"]
    }


def _dataset(one: dict[str, Any]) -> str:
    """The hub's id of a benchmark; a set from elsewhere has its name alone."""
    source = one["data"].get("source")
    return source if isinstance(source, str) else one["name"]
