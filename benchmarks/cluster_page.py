"""The page of benchmarks/cluster.py."""

from collections.abc import Mapping, Sequence
from typing import Any


def page(
    title: str, measured: Mapping[str, Any], found: Mapping[str, Any], driver: Mapping[int, Any], assumed: str
) -> str:
    """The results in Markdown."""
    lines = [f"# {title}", "", "`python benchmarks/cluster.py`"]
    lines += ["", "The cluster, while runs are at work:", ""]
    lines += table(
        ["sweep", "time", "without waiting", "driver's network busy", "file server busy", "longest wait", "actor busy"],
        [[name, time(one.seconds), time(one.ideal), share(one.network), share(one.server), time(one.waited),
          share(one.messages)] for name, one in found.items()],
    )  # fmt: skip
    lines += [
        "",
        "The driver, before and after, CPU time, by runs in params.yaml; beyond what was measured the polynomial",
        "through the points below:",
        "",
    ]
    rows = {
        "params.yaml": lambda d: size(d["params_bytes"]),
        "dvc.lock": lambda d: size(d["lock_bytes"]),
        "memory for tasks": lambda d: size(d["memory_bytes"]),
        "stage resolve": lambda d: time(d["resolve"]),
        "DVC loads the graph, once": lambda d: time(d["graph"]),
        "begin: `dvc repro resolve prepare`, `dvc status`": lambda d: time(d["begin"]),
        "end: all restored, stage by stage": lambda d: time(d["restore_by_stage"]),
        "end: dvc.lock put together at once": lambda d: time(d["restore_at_once"]),
        "each task: the graph of all runs": lambda d: time(d["task_whole"]),
        "each task: a copy reduced to its run": lambda d: time(d["task_reduced"]),
    }
    lines += table(["", *(f"{runs:,}" for runs in driver)], [[k, *map(f, driver.values())] for k, f in rows.items()])
    lines += ["", f"Measured on {measured['machine']['cores']} cores ({measured['machine']['processor']}):", ""]
    lines += table(["input", "value", "command"], [[n, shown(e["value"]), f"`{e['command']}`"]
                                                    for n, e in measured["inputs"].items()])  # fmt: skip
    lines += ["", f"Assumed: {assumed}", ""]
    return "\n".join(lines)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown."""
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def time(seconds: float) -> str:
    """A time with its unit."""
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.3g} {unit}"
    return f"{seconds:.3g} s"


def size(value: float) -> str:
    """Bytes with their unit."""
    return f"{value / 1e6:.3g} MB" if value < 1e9 else f"{value / 1e9:.3g} GB"


def share(value: float) -> str:
    """A share in per cent."""
    return f"{value:.1%}"


def shown(value: Any) -> str:
    """An input: a number, or one for each number of runs."""
    if isinstance(value, Mapping):
        return ", ".join(f"{runs}: {shown(one)}" for runs, one in value.items())
    return f"{value:.3g}" if value < 1e5 else f"{value:.4g}"
