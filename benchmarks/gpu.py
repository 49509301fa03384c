"""What a GPU does with vaelab: speed against a bare loop, resume, evaluation, and the path of several processes.

Runs where there is none as well, on the CPU, which then is what the result names. Parts:

- speed: milliseconds a step of our training loop and of a bare one, in 32 bits, in bfloat16, compiled, deterministic;
- resume: a training that was killed and went on, one that was repeated, and one through torchrun with one process,
  against the same training in one go: equal bytes, or the largest difference of a weight; as it is by default, and with
  `train.deterministic`;
- evaluate: seconds of the stage on each device, and the largest relative difference of a metric.

Result: benchmarks/results/gpu.json, with the card's name.
"""

import argparse
import itertools
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "benchmarks")]

import torch
import yaml
from safetensors.torch import load_file
from training_loop import STEPS, measure, runs_of, write

from vaelab import artifacts
from vaelab.data.sources import prepare
from vaelab.params.schema import Run
from vaelab.training.processes import one_order

RESULT = ROOT / "benchmarks" / "results" / "gpu.json"
WAYS = {
    "fp32": {}, "bf16": {"precision": "bf16-mixed"}, "fp32_compiled": {"compile": True},
    "bf16_compiled": {"precision": "bf16-mixed", "compile": True}, "fp32_deterministic": {"deterministic": True},
}  # fmt: skip
TRIED = {"option_a": "grids", "photos": "photos", "tags": "tags"}  # runs of params.yaml whose stages are run
PARTS = ["speed", "resume", "evaluate"]
EPOCHS = 6  # of each of them
LAUNCHED = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "1")


def main() -> None:
    """Run the parts that are asked for; each is written when it is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--parts", nargs="+", choices=["speed", "resume", "evaluate"], default=["speed", "resume", "evaluate"]
    )
    parser.add_argument("--pairs", type=int, default=3, help="measurements of each loop, in turn")
    parser.add_argument("--times", type=int, default=10, help="as many epochs a measurement as training_loop.py has")
    parser.add_argument("--kinds", nargs="+", choices=list(STEPS), default=list(STEPS))
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--runs", nargs="+", choices=list(TRIED), default=list(TRIED), help="of the other parts")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="of the trainings of the part resume")
    parser.add_argument("--out", type=Path, default=RESULT)
    options = parser.parse_args()
    result: dict[str, Any] = {"device": device_name(), "torch": torch.__version__, "machine": platform.machine()}
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        if "speed" in options.parts:
            result["speed"] = {kind: {} for kind in options.kinds}
            for kind in options.kinds:
                for way, found in speed(Path(folder), kind, options):
                    result["speed"][kind][way] = found
                    write(options.out, result)
        if {"resume", "evaluate"} & set(options.parts):
            for run, exact in itertools.product(options.runs, (True, False)):
                project(Path(folder), options.epochs, exact)
                found = stages(run, "evaluate" in options.parts and not exact)
                result.setdefault("stages", {}).setdefault(run, {})["deterministic" if exact else "default"] = found
                write(options.out, result)


def device_name() -> str:
    """Return the name of the card, or that there is none."""
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"


def speed(folder: Path, kind: str, options: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each way of training one kind of data with what it takes, ours and bare."""
    run, settings = runs_of(folder)[kind]
    prepare(settings, folder / kind)
    for name in options.ways:
        torch._dynamo.reset()
        changed: Run = run.model_copy(update={"train": run.train.model_copy(update=WAYS[name])})
        print(f"{kind}, {name}", flush=True)
        with one_order(changed.train.deterministic and torch.cuda.is_available()):
            every = measure(changed, folder / kind, options.pairs, options.times)
        yield name, {key: every[key] for key in ("median_ratio", "milliseconds_per_step", "examples_per_second")}


def project(folder: Path, epochs: int, exact: bool) -> None:
    """Write a project with the runs that are tried, resolved and prepared, into `folder`; `exact`: deterministic."""
    params = yaml.safe_load((ROOT / artifacts.PARAMS).read_text())
    params["runs"] = {run: {"data": data, **params["runs"][run]} for run, data in TRIED.items()}
    for run in TRIED:
        params["runs"][run].setdefault("train", {}).update(epochs=epochs, checkpoint_every=epochs, deterministic=exact)
    (folder / artifacts.PARAMS).write_text(yaml.safe_dump(params))
    stage("resolve")
    for data in TRIED.values():
        if not artifacts.prepared(data).exists():
            stage("prepare", data)


def stages(run: str, with_evaluation: bool) -> dict[str, Any]:
    """Return how trainings of `run` that should be equal differ, and what its evaluation takes."""
    models, found = artifacts.models(run), {"train_seconds": trained(run)}
    whole = load_file(models / "model.safetensors")
    ways = {"repeated": (), "through_torchrun": LAUNCHED}
    for name, launched in ways.items():
        trained(run, *launched)
        found[name] = difference(whole, load_file(models / "model.safetensors"))
    found["states_seen_when_killed"] = killed(run)
    trained(run, again=False)
    found["resumed"] = difference(whole, load_file(models / "model.safetensors"))
    if with_evaluation:
        found |= evaluated(run)
    print(f"{run}: {json.dumps(found)}", flush=True)
    return found


def stage(name: str, *argument: str, launched: tuple[str, ...] = (), **environment: str) -> float:
    """Run a stage as the pipeline does and return its seconds."""
    start = time.perf_counter()
    command = [sys.executable, *launched, str(ROOT / "stages" / f"{name}.py"), *argument]
    subprocess.run(command, check=True, env=os.environ | environment, stderr=subprocess.DEVNULL)
    return round(time.perf_counter() - start, 2)


def trained(run: str, *launched: str, again: bool = True) -> float:
    """Train `run`, from its beginning or from where it was killed, and return the seconds."""
    if again:
        shutil.rmtree(artifacts.SCRATCH, ignore_errors=True)
    shutil.rmtree(artifacts.models(run), ignore_errors=True)
    return stage("train", run, launched=launched)


def killed(run: str) -> int:
    """Start a training of `run`, kill it when it has saved its state twice, and return how often that was seen."""
    shutil.rmtree(artifacts.SCRATCH, ignore_errors=True)
    shutil.rmtree(artifacts.models(run), ignore_errors=True)
    command = [sys.executable, str(ROOT / "stages" / "train.py"), run]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        seen: set[int] = set()
        while process.poll() is None and len(seen) < 2:  # it is saved before the first step too
            seen |= {path.stat().st_mtime_ns for path in Path(artifacts.SCRATCH).glob("*/state*")}
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, f"{run} ended before it was killed: more epochs are needed"
    return len(seen)


def difference(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    """Return the largest difference of a weight, 0 where all bits are equal."""
    return max((one[name].double() - other[name].double()).abs().max().item() for name in one)


def evaluated(run: str) -> dict[str, Any]:
    """Return the seconds of the evaluation on each device, and the largest relative difference of a metric."""
    devices = ["cuda", "cpu"] if torch.cuda.is_available() else ["cpu"]
    seconds, metrics = {}, []
    for device in devices:
        seconds[device] = stage("evaluate", run, VAELAB_ACCELERATOR=device)
        metrics.append(dict(numbers(json.loads(artifacts.evaluation(run).read_text()))))
    apart = {name: abs(value - metrics[-1][name]) / max(1e-3, abs(value)) for name, value in metrics[0].items()}
    worst = max(apart, key=lambda name: apart[name])
    return {"evaluate_seconds": seconds, "largest_relative_difference": {worst: round(apart[worst], 6)}}


def numbers(nested: dict[str, Any], path: str = "") -> Iterator[tuple[str, float]]:
    """Yield all numbers of nested metrics with their names."""
    for name, value in nested.items():
        if isinstance(value, dict):
            yield from numbers(value, f"{path}{name}.")
        elif isinstance(value, int | float) and not isinstance(value, bool) and value == value:
            yield f"{path}{name}", float(value)


if __name__ == "__main__":
    main()
