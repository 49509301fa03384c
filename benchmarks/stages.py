"""Seconds by stage and part of the default pipeline and of the suite of six tag runs, in fresh clones, CPU and wall.

Each Python process looks at its own stack every hundredth of a CPU second (sampled/sitecustomize.py), from the start of
its first import to its end. What the processes need before and after that is the row `start and end`. With several runs
side by side wall seconds of processes overlap. On an idle machine, in some minutes; result: benchmarks/results/.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
RESULT = HERE / "results" / "stages.json"
COMMANDS = {"default": ["vaelab", "repro"], "tags": ["vaelab", "compare", "--preset", "all"]}
Found = dict[str, Any]  # of a process, or summed over processes


def clone(folder: Path) -> None:
    """Make a clone of the repository's last commit with a DVC cache of its own."""
    for words in (
        ["git", "clone", "--quiet", str(ROOT), str(folder)],
        [str(BIN / "dvc"), "config", "--local", "cache.dir", str(folder / ".dvc" / "cache")],
    ):
        subprocess.run(words, cwd=folder if folder.is_dir() else ROOT, check=True)


def used() -> float:
    """Return the CPU seconds of all processes that were started here and have ended."""
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime


def run(command: Sequence[str], folder: Path, sampled: Path) -> Found:
    """Run a command in a clone and return its seconds: in all, and of its processes."""
    clone(folder)
    sampled.mkdir()
    environment = os.environ | {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join([str(HERE / "sampled"), str(folder / "src")]),
        "VAELAB_SAMPLED": str(sampled),
    }
    cpu, wall = used(), time.monotonic()
    subprocess.run([str(BIN / command[0]), *command[1:]], cwd=folder, env=environment, check=True)
    total = {"cpu": used() - cpu, "wall": time.monotonic() - wall}
    processes = [json.loads(path.read_text()) for path in sampled.iterdir()]
    return {"command": " ".join(command), **total, "stages": by_stage(processes, total["cpu"])}


def stage_of(words: Sequence[str]) -> str:
    """Return what the words of a process are: a stage, dvc or vaelab."""
    path = Path(words[0])
    return path.stem if path.parent.name == "stages" or path.stem in ("dvc", "vaelab") else "other"


def by_stage(processes: Sequence[Found], cpu: float) -> dict[str, Found]:
    """Return the sums over the processes of each stage, those that take longest first.

    Args:
        processes: as sampled/sitecustomize.py writes them.
        cpu: seconds of all of them together, as the system has counted them.
    """
    stages: dict[str, Found] = {}
    for process in processes:
        sums = stages.setdefault(stage_of(process["words"]), {"processes": 0, "cpu": 0.0, "wall": 0.0, "parts": {}})
        sums["processes"] += 1
        for clock in ("cpu", "wall"):
            sums[clock] += process[clock]
        for part, seconds in process["parts"].items():
            before = sums["parts"].get(part, [0.0, 0.0])
            sums["parts"][part] = [a + b for a, b in zip(before, seconds, strict=True)]
    rest = cpu - sum(stage["cpu"] for stage in stages.values())
    stages["start and end"] = {"processes": len(processes), "cpu": rest, "wall": 0.0, "parts": {}}
    return dict(sorted(stages.items(), key=lambda item: -item[1]["cpu"]))


def parts_of(stages: dict[str, Found]) -> list[str]:
    """Return all parts, those that take longest first."""
    sums: dict[str, float] = {}
    for stage in stages.values():
        for part, (cpu, _) in stage["parts"].items():
            sums[part] = sums.get(part, 0.0) + cpu
    return sorted(sums, key=lambda part: -sums[part])


def table(found: Found) -> str:
    """Return the seconds of a command as Markdown: a row a stage, CPU seconds of each part."""
    stages, parts = found["stages"], parts_of(found["stages"])
    heads = ["stage", "processes", "wall s", "CPU s", *parts]
    lines = [f"| {' | '.join(heads)} |", "|---" + "|---:" * (len(heads) - 1) + "|"]
    rows = {**stages, "all": {
        "processes": stages["start and end"]["processes"], "wall": found["wall"], "cpu": found["cpu"],
        "parts": {part: [sum(s["parts"].get(part, [0.0])[0] for s in stages.values())] for part in parts},
    }}  # fmt: skip
    for name, row in rows.items():
        seconds = [row["parts"].get(part, [0.0])[0] for part in parts]
        cells = [
            str(row["processes"]),
            f"{row['wall']:.1f}",
            f"{row['cpu']:.1f}",
            *(f"{s:.1f}" if s else "" for s in seconds),
        ]
        lines.append(f"| {' | '.join([name, *cells])} |")
    return "\n".join(lines)


def ratio(found: Found) -> Found:
    """Return the time of a command over that of the steps of its trainings."""
    cpu, wall = found["stages"]["train"]["parts"]["training"]
    return {
        "training_cpu": cpu,
        "training_wall": wall,
        "cpu_ratio": found["cpu"] / cpu,
        "wall_ratio": found["wall"] / wall,
    }


def text(result: Found) -> str:
    """Return all as a page."""
    machine = f"{result['cores']} cores, torch {result['torch']}, load before: {result['load']}"
    told = [
        "# Seconds by stage and part\n",
        f"`python benchmarks/stages.py`: {machine}. Columns right of *CPU s* are CPU seconds of parts; *training* is "
        "the steps of trainings alone. Wall seconds of stages are sums over processes, which run side by side.\n",
    ]
    for found in (result[name] for name in COMMANDS if name in result):
        told.append(f"## `{found['command']}`: {found['wall']:.0f} s\n\n{table(found)}\n")
        told.append(
            f"Steps of trainings: {found['training_wall']:.0f} s of all runs, {found['training_cpu']:.0f} CPU s. "
            f"All / steps: {found['wall_ratio']:.1f} of time, {found['cpu_ratio']:.1f} of CPU time.\n"
        )
    return "\n".join(told)


def main() -> None:
    """Measure what is asked for and write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", dest="names", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    parser.add_argument("--words", nargs=argparse.REMAINDER, default=[], help="more words of the command, such as -j 1")
    options = parser.parse_args()
    import torch

    result = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    result |= {"cores": len(os.sched_getaffinity(0)), "machine": platform.machine(), "torch": torch.__version__}
    result["load"] = round(os.getloadavg()[0], 1)
    with tempfile.TemporaryDirectory(prefix="vaelab-stages-") as name:
        for number, command in enumerate(options.names):
            found = run([*COMMANDS[command], *options.words], Path(name) / command, Path(name) / f"sampled-{number}")
            result[command] = found | ratio(found)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    RESULT.with_suffix(".md").write_text(text(result))
    print(text(result))


if __name__ == "__main__":
    main()
