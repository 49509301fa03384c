"""The part of a report on active runs that it has no numbers of: which, why, and what to do."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from vaelab import artifacts, storage
from vaelab.comparison.cells import Style, and_more, escaped
from vaelab.comparison.collect import Missing
from vaelab.comparison.parts import Command, Heading, Part
from vaelab.diagnosis.causes.table import CAUSES
from vaelab.errors import InputError


def counted_missing(missing: Sequence[Missing]) -> str:
    """Return which runs are not compared, in a sentence."""
    names = and_more([one.run for one in missing])
    return f"Not compared: {names}. Why, and what to do, is under “Runs that are not compared”."


def missing_runs(missing: Sequence[Missing], style: Style) -> Iterator[Part]:
    """Yield which runs are not compared, why, and what to do."""
    if not missing:
        return
    yield Heading(2, "Runs that are not compared", "Not compared")
    for one in missing:
        yield Heading(3, one.run)
        yield from _failed(one, style) if artifacts.failed(one.run).is_dir() else _unread(one, style)


def _unread(one: Missing, style: Style) -> Iterator[Part]:
    yield escaped(f"{one.why}.", style)
    yield Command(f"dvc repro diagnose@{one.run} compare")


def _failed(one: Missing, style: Style) -> Iterator[Part]:
    """A training that had to stop: why, what its diagnosis says, and the command that may cure it."""
    folder = artifacts.failed(one.run)
    reason = _saved(folder / "training.json").get("reason") or one.why
    yield escaped(f"Its training had to stop: {reason}. What is known of it is in {folder}.", style)
    found = _saved(artifacts.diagnosis(one.run)).get("findings") or ()
    first = next((finding for finding in found if finding.get("cause") in CAUSES), None)
    if first is None:
        yield Command(f"vaelab diagnose {one.run}")
        return
    cause = CAUSES[first["cause"]]
    yield escaped(f"{cause.name}. {cause.meaning_of(first)}", style)
    if prescriptions := first.get("prescriptions"):
        yield "Try:"
        yield Command(prescriptions[0]["command"])
    else:
        yield escaped(f"What to do: {cause.advice}", style)


def _saved(path: Path) -> Mapping[str, Any]:
    """What a file holds; nothing where it is missing or damaged, since the run is told of as it is."""
    try:
        return storage.read_json(path)
    except InputError:
        return {}
