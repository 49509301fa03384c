"""Overhead of many short runs: Ray, lanes, `dvc queue` and `dvc repro`, two workers: python benchmarks/many_runs.py.

Runs of two epochs on 120 rows of tags, without drawing: what is left is how runs are started and kept. Overhead is what
a run takes beyond its stages' own scripts, which are run without DVC, as many at a time. Writes results/many_runs.json
and many_runs.md; on two cores it takes some twelve minutes. Nothing else must run meanwhile.
"""

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from ray_nodes import loopback_up

RESULTS = ROOT / "benchmarks/results"
RESULT = RESULTS / "many_runs.json"
ALONE = ("unshare", "--map-root-user", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
STAGES = ("train", "evaluate", "visualize", "threshold", "diagnose")
LANES = 2
PATIENCE = 900  # seconds in which all experiments of a queue must have ended
CPUS = (os.cpu_count() or LANES) / LANES  # of Ray for each run, so that so many run at a time
PARAMS: dict[str, Any] = {
    "datasets": {
        "tags": {"source": "tags", "rows": 120, "topics": 2, "topic_tags": 3, "exclusive_groups": 0, "tail_tags": 2}
    },
    "train": {"batch_size": 32, "checkpoint_samples": 3, "epochs": 2, "seed": 0},
    "evaluate": {"tag_samples": 24},
    "compare": {"samples": 3},
    "presets": {"narrow": {"model": {"latent_dim": 2, "hidden": [8]}}},
    "suites": {},
}
NO_PICTURES = """import sys
from pathlib import Path
plots = Path("plots/runs", sys.argv[1])
plots.mkdir(parents=True, exist_ok=True)
(plots / "none.txt").write_text("")
"""


def main() -> None:
    """Measure each way in a project of its own, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--plain-runs", type=int, default=10, help="of plain dvc repro, the slowest")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--keep", action="store_true", help="write no results, print them")
    options = parser.parse_args()
    if os.getpid() != 1:  # pid 1 is who inherits what workers of a queue leave, and can count their seconds
        raise SystemExit(subprocess.run([*ALONE, sys.executable, *sys.argv]).returncode)
    loopback_up()
    rows: dict[str, Any] = json.loads(RESULT.read_text())["ways"] if RESULT.exists() and not options.keep else {}
    with tempfile.TemporaryDirectory(prefix="many-runs-") as name:
        scratch = Path(name)
        os.environ |= environment(scratch)
        alone, beside = (work(made(scratch / f"work{lanes}", 2 * lanes), lanes) for lanes in (1, LANES))
        for way in options.ways:
            plain = way == "dvc repro"
            lanes, stages, runs = (1, alone, options.plain_runs) if plain else (LANES, beside, options.runs)
            project = made(scratch / way.replace(" ", "_"), runs, one=way == "dvc queue")
            wall, cpu = taken(way, project, runs)
            counted = "--on ray" not in way  # Ray's processes are of its own, and no children of the command
            over = {
                "overhead_cpu": cpu / runs - stages["cpu"] if counted else None,
                "overhead_seconds": wall * lanes / runs - stages["wall"],
            }
            rows[way] = {"runs": runs, "lanes": lanes, "wall": wall, "cpu": cpu if counted else None, **over}
            print(way, rows[way], flush=True)
    rows = {way: rows[way] for way in WAYS if way in rows}
    found = {"machine": machine(), "work_alone": alone, "work_beside": beside, "ways": rows}
    text = table(found)
    print(text)
    if not options.keep:
        RESULT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        RESULT.with_suffix(".md").write_text(text, encoding="utf-8")


def machine() -> dict[str, Any]:
    """What it was measured on."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {"cores": os.cpu_count(), "processor": model, "python": platform.python_version(), "load": os.getloadavg()}


def environment(scratch: Path) -> dict[str, str]:
    """What all processes are given; DVC keeps what it knows of files in `scratch`, not on this machine for ever."""
    who = {f"GIT_{whose}_{what}": "bench@localhost" for whose in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    ray = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    dvc = {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(scratch / "site")}
    return {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "", "PATH": path, **dvc, **ray, **who}


def names(runs: int) -> list[str]:
    """Names of runs."""
    return [f"r{number:05d}" for number in range(runs)]


def made(folder: Path, runs: int, one: bool = False) -> Path:
    """Make a project of this repository's code, its data prepared; `one`: of one run, which experiments change."""
    listed = call(ROOT, "git", "ls-files", "-co", "--exclude-standard", "stages", "src", ".dvc", ".gitignore").split()
    for name in [*listed, "dvc.yaml", ".dvcignore", "data/raw/.gitkeep", "metrics/treatments/.gitkeep"]:
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    (folder / "stages/visualize.py").write_text(NO_PICTURES)
    run = {"data": "tags", "preset": "narrow"}
    several = {name: run | {"train": {"seed": seed}} for seed, name in enumerate(names(runs))}
    params = PARAMS | {"runs": {"r": run} if one else several}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    call(folder, "git", "init", "-q")
    call(folder, "dvc", "repro", "-q", "resolve", "prepare")
    call(folder, sys.executable, "-m", "compileall", "-q", "src")
    call(folder, "git", "add", "-A")
    call(folder, "git", "commit", "-qm", "first")
    return folder


def call(folder: Path, *command: str) -> str:
    """Return what a command prints."""
    own = os.environ | {"PYTHONPATH": str(folder / "src")}
    done = subprocess.run(command, cwd=folder, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} in {folder}:\n{done.stdout[-2000:]}")
    return done.stdout


def work(folder: Path, lanes: int) -> dict[str, float]:
    """Seconds that the scripts of a run take without DVC, so many runs at a time: on the wall and of CPUs."""
    runs, walls = names(2 * lanes), list[float]()

    def stages(run: str) -> None:
        start = time.monotonic()
        for stage in STAGES:
            call(folder, "python", f"stages/{stage}.py", run)
        walls.append(time.monotonic() - start)

    call(folder, "python", "stages/train.py", runs[0])  # files are read once
    before = used()
    with ThreadPoolExecutor(lanes) as pool:
        list(pool.map(stages, runs))
    return {"wall": sum(walls) / len(walls), "cpu": (used() - before) / len(runs)}


def used() -> float:
    """CPU seconds of all processes that have ended and were waited for."""
    times = resource.getrusage(resource.RUSAGE_CHILDREN)
    return times.ru_utime + times.ru_stime


def taken(way: str, folder: Path, runs: int) -> tuple[float, float]:
    """Seconds of all runs, on the wall and of CPUs, also of processes that live on for a while."""
    before, start = used(), time.monotonic()
    WAYS[way](folder, runs)
    wall = time.monotonic() - start
    bury()
    return wall, used() - before


def bury() -> None:
    """Wait for what has been left to us, a minute at most."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.1)
        except ChildProcessError:
            return
    print("warning: something goes on for more than a minute; its seconds are not counted", file=sys.stderr)


def vaelab(*words: str) -> Callable[[Path, int], None]:
    """A way that is a command of ours."""

    def run(folder: Path, runs: int) -> None:
        call(folder, sys.executable, "-m", "vaelab", "repro", *words)
        finished(folder, runs)

    return run


def plain(folder: Path, runs: int) -> None:
    """The way of `dvc repro`."""
    call(folder, "dvc", "repro", "-q")
    finished(folder, runs)


def finished(folder: Path, runs: int) -> None:
    """Check that all runs are there, and the comparison."""
    there = len(list(folder.glob("models/*/model.safetensors")))
    assert there == runs, f"{there} of {runs} runs in {folder}"
    assert (folder / "metrics/comparison.csv").is_file()


def queue(folder: Path, runs: int) -> None:
    """The way of `dvc queue`: an experiment a seed, which compares its one run, too."""
    call(folder, "dvc", "exp", "run", "-q", "--queue", "-S", f"train.seed=range(0,{runs})")
    call(folder, "dvc", "queue", "start", "-q", "-j", str(LANES))
    end = time.monotonic() + PATIENCE
    while len(experiments(folder)) < runs:
        if time.monotonic() > end:
            raise SystemExit(
                f"{len(experiments(folder))} of {runs} experiments\n{call(folder, 'dvc', 'queue', 'status')}"
            )
        time.sleep(0.2)


def experiments(folder: Path) -> Sequence[str]:
    """The experiments that have ended."""
    listed = call(folder, "git", "for-each-ref", "--format=%(refname)", "refs/exps").split()
    return [ref for ref in listed if len(ref.split("/")) == 5]


WAYS: dict[str, Callable[[Path, int], None]] = {
    "vaelab repro --on ray": vaelab("--on", "ray", "--cpus", str(CPUS)),
    "vaelab repro -j 2": vaelab("-j", str(LANES)),
    "dvc queue": queue,
    "dvc repro": plain,
}


def _shown(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def table(found: dict[str, Any]) -> str:
    """The results in Markdown."""
    machine, alone, beside = found["machine"], found["work_alone"], found["work_beside"]
    lines = [
        "# Many short runs",
        "",
        f"`python benchmarks/many_runs.py`, on {machine['cores']} cores ({machine['processor']}), one thread",
        f"a process, load {machine['load'][0]:.1f} at the end. The scripts of a run take {alone['cpu']:.2f} CPU",
        f"seconds ({alone['wall']:.2f} s alone, {beside['wall']:.2f} s two at a time). Overhead is what a run",
        "takes beyond that, in seconds of its lane.",
        "",
        "| way | runs | at a time | wall, s | CPU, s | overhead a run, CPU s | overhead a run, s |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| `{way}` | {row['runs']} | {row['lanes']} | {row['wall']:.0f} | {_shown(row['cpu'], 0)} "
        f"| {_shown(row['overhead_cpu'], 2)} | {row['overhead_seconds']:.2f} |"
        for way, row in found["ways"].items()
    ]
    lines += [
        "",
        "Each experiment of `dvc queue` also resolves and compares its one run; the others do that once. `dvc repro`",
        "writes all of dvc.lock after each stage: what a run takes there grows with the number of runs.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
