"""The files for Slurm and KubeRay call commands that there are, in the order that they say.

Slurm is not here, so its commands and Ray's are stand-ins that write down how they were called; the
script itself runs.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from srpo import cli
from srpo.recipe.library import shipped

EXAMPLES = Path(__file__).parents[2] / "examples"
SBATCH = EXAMPLES / "slurm/srpo.sbatch"
RAYJOB = EXAMPLES / "kuberay/srpo-rayjob.yaml"
STANDS_IN = """#!/bin/bash
echo "$(basename "$0") $*" >> "$CALLS"
case "$(basename "$0") $*" in
  "scontrol show"*) printf '%s\\n' one two three ;;
  *"hostname"*) echo "10.0.0.1 fe80::1" ;;
  "ray status"*) printf ' 1 node_%s\\n' a b c ;;
  "srpo"*)
    trap 'sleep 0.2; exit 143' TERM
    for _ in $(seq "$STEPS"); do sleep 0.1; done
    ;;
esac
"""


@pytest.fixture
def slurm(tmp_path: Path) -> dict[str, str]:
    """The environment of a job of three nodes."""
    for name in ("srun", "scontrol", "ray", "srpo"):
        (tmp_path / name).write_text(STANDS_IN)
        (tmp_path / name).chmod(0o755)
    job = {"SLURM_JOB_ID": "4711", "SLURM_JOB_NODELIST": "n[1-3]", "STEPS": "0"}
    job |= {"CALLS": str(tmp_path / "calls"), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    return os.environ | job


def calls(slurm: dict[str, str], command: str) -> list[str]:
    lines = Path(slurm["CALLS"]).read_text().splitlines()
    return [line for line in lines if line.split()[0] == command]


def sbatch(*args: str | Path) -> list[str]:
    return ["bash", str(SBATCH), *map(str, args)]


def test_a_job_trains_and_then_resumes(slurm: dict[str, str], tmp_path: Path):
    run = tmp_path / "a run"
    subprocess.run(sbatch("nano", run, "max_steps=3"), env=slurm, check=True, timeout=60)
    [train] = calls(slurm, "srpo")
    assert train == f"srpo train nano --set output_dir={run} --set max_steps=3 --ray auto"
    started = [line for line in calls(slurm, "srun") if "ray start" in line]
    assert ["-w one" in line for line in started] == [True, False]
    assert "--nodes=2 --ntasks=2 --exclude=one" in started[1]
    assert "--address=10.0.0.1:24711" in started[1]
    run.mkdir()
    (run / "recipe.yaml").touch()
    subprocess.run(sbatch("nano", run), env=slurm, check=True, timeout=60)
    assert calls(slurm, "srpo")[1:] == [f"srpo resume {run} --ray auto"]


def test_a_job_whose_time_is_up_stops_its_run_and_goes_back_to_the_queue(
    slurm: dict[str, str], tmp_path: Path
):
    job = subprocess.Popen(sbatch("nano", tmp_path / "run"), env=slurm | {"STEPS": "500"})
    deadline = time.monotonic() + 60
    while not (Path(slurm["CALLS"]).exists() and calls(slurm, "srpo")):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.3)  # the driver's own trap
    job.send_signal(signal.SIGTERM)
    assert job.wait(timeout=60) == 143
    assert calls(slurm, "scontrol")[-1] == "scontrol requeue 4711"


def test_a_job_that_fails_does_not(slurm: dict[str, str], tmp_path: Path):
    (tmp_path / "srpo").write_text("#!/bin/bash\nexit 2\n")
    done = subprocess.run(sbatch("nano", tmp_path / "run"), env=slurm, timeout=60)
    assert done.returncode == 2
    assert not [line for line in calls(slurm, "scontrol") if "requeue" in line]


def test_the_ray_job_trains_or_resumes_a_shipped_recipe():
    job: dict[str, Any] = yaml.safe_load(RAYJOB.read_text())
    assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
    shell, flag, script = shlex.split(job["spec"]["entrypoint"])
    assert (shell, flag) == ("bash", "-c")
    subprocess.run([shell, "-n", flag, script], check=True)
    commands = typer.main.get_command(cli.app).commands  # pyright: ignore
    words = script.split()
    used = [words[i + 1] for i, word in enumerate(words) if word == "srpo"]
    assert sorted(used) == ["resume", "train"]
    assert set(used) <= set(commands)
    assert words[words.index("train") + 1] in shipped()
    cluster = job["spec"]["rayClusterSpec"]
    [gpus] = cluster["workerGroupSpecs"]
    per_node = gpus["template"]["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"]
    assert gpus["replicas"] * int(per_node) == 64
    for pod in (cluster["headGroupSpec"], gpus):
        spec = pod["template"]["spec"]
        [container] = spec["containers"]
        assert {m["name"] for m in container["volumeMounts"]} == {
            v["name"] for v in spec["volumes"]
        }
        assert "RAY_health_check_period_ms" in {e["name"] for e in container["env"]}
