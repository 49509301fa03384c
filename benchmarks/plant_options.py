"""What the commands on plants share: the head of their command line, the file of plants, where results go."""

import argparse
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

RESULTS = Path(__file__).resolve().parent / "results"


def parser(description: str | None, results: str) -> argparse.ArgumentParser:
    """Return a parser of the options that all have; `results` begins the names of their results."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("plants", type=Path, help="the file of plants")
    made.add_argument("names", nargs="*", help="runs, or beginnings of their names; none: all")
    made.add_argument("--folder", type=Path, default=Path("plants"), help="where they are trained")
    made.add_argument("--jobs", type=int, default=1, help="runs at a time, one thread each")
    made.add_argument("--score-only", action="store_true", help="run nothing: diagnose and score what is there")
    made.add_argument("--results", action="store_true", help=f"write benchmarks/results/{results}_<file>.*, too")
    return made


def places(options: argparse.Namespace, own: str, results: str) -> list[Path]:
    """Return where results are written, without suffix: in the folder as `own` and, where asked, in ours."""
    return [Path(own), *([RESULTS / results] if options.results else [])]


def chosen(options: argparse.Namespace, plan: Mapping[str, Any]) -> list[str]:
    """Return the runs of a plan that were named, or all."""
    return [name for name in plan["runs"] if name.startswith(tuple(options.names) or "")]


def read_plan(path: Path, seeds: int = 0) -> dict[str, Any]:
    """Return a file of plants, names of the environment in paths replaced, and so much added to all seeds."""
    plan: dict[str, Any] = json.loads(json.dumps(yaml.safe_load(path.read_text(encoding="utf-8"))))  # no shared blocks
    for settings in plan["datasets"].values():
        settings |= {key: os.path.expandvars(value) for key, value in settings.items() if isinstance(value, str)}
    blocks = [how for how in plan["datasets"].values() if how["source"] != "npy"]
    blocks += [*plan.get("edits", {}).values(), *(run.setdefault("train", {}) for run in plan["runs"].values())]
    for block in blocks:
        block["seed"] = block.get("seed", 0) + seeds
    return plan
