"""Commands that change params.yaml for one experiment: `dvc exp run -S …`, also of runs with presets."""

import shlex
from collections.abc import Mapping
from typing import Any

import yaml


def with_changes(run: str, changes: Mapping[str, Any]) -> str:
    """Return the command that trains an active run again under changes, by their paths: {"loss.beta": 0.3}.

    What the line of the run in params.yaml says lies over its preset, so that the preset stays as it is. A change that
    is a mapping or a list stands whole in place of what was there.
    """
    return " ".join(["dvc exp run", *(f"-S {shlex.quote(text)}" for text in overrides(run, changes))])


def overrides(run: str, changes: Mapping[str, Any]) -> list[str]:
    """Return what stands behind each -S of that command."""
    return [f"++runs.{run}.{path}={flow(value)}" for path, value in changes.items()]


def added(name: str, preset: str | None, values: Mapping[str, Any]) -> str:
    """Return the command that adds a run beside the others, and trains it; `preset` where the values name none."""
    own = {"preset": preset} if preset and "preset" not in values else {}
    return f"dvc exp run -S {shlex.quote(f'+runs.{name}={flow({**values, **own})}')}"


def laid_over(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with the changes in them; a schedule gives way whole."""
    both = {key: inner for key, inner in changes.items() if isinstance(inner, Mapping)}
    inner = {key: laid_over(values.get(key) or {}, changes[key]) for key in both}
    return {**values, **changes, **inner}


def flow(value: Any) -> str:
    """Return a value as YAML in one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, sort_keys=False).strip()
    return text.removesuffix("...").strip()
