"""What a source tells of the data it read: what was scaled, left out or looks wrong, with counts, and what mends it.

It is on the terminal and in meta.json: `quarantined` (file, reason), `notes` (file, note), `said`, `warnings`.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

MAX_NAMED = 5  # files that a line on the terminal names
MAX_LINES = 10  # of reasons, and of notes, on the terminal; meta.json has all


class Account:
    """Gathers what is to be told of a data set, which params.yaml has at `where`."""

    def __init__(self, where: str, quarantined: Sequence[dict[str, str]] = ()) -> None:
        self.where = where
        self.quarantined = list(quarantined)
        self.notes: list[dict[str, str]] = []
        self.said: list[str] = []
        self.warnings: list[str] = []

    def quarantine(self, name: str, reason: str) -> None:
        """Leave a file out."""
        self.quarantined.append({"file": name, "reason": reason})

    def note(self, name: str, notes: Sequence[str]) -> None:
        """Keep what is worth knowing of a file that is used."""
        self.notes += [{"file": name, "note": note} for note in notes]

    def say(self, text: str) -> None:
        """Add a line on the data as a whole."""
        self.said.append(text)

    def warn(self, texts: Sequence[str]) -> None:
        """Add what looks wrong."""
        self.warnings += [f"{self.where}: {text}" for text in texts]

    def tell(self, kept: str, others: Mapping[str, int], meta: Path) -> None:
        """Print all of it: nothing where all is well. `kept` and the counts of `others` are the first line."""
        counts = {"quarantined": len(self.quarantined), **others}
        left_out = [f"{count} {what}" for what, count in counts.items() if count]
        reasons = _grouped([(entry["reason"], entry["file"]) for entry in self.quarantined])
        notes = _grouped([(entry["note"], entry["file"]) for entry in self.notes if not _is_of_all(entry["note"])])
        lines = [*(f"quarantined: {line}" for line in reasons), *notes, *self.said]
        if left_out or lines:
            print(f"{self.where}: {', '.join([kept, *left_out])}: see {meta}", file=sys.stderr)
        for line in lines:
            print(f"  {line}", file=sys.stderr)
        for text in self.warnings:
            print(f"warning: {text}", file=sys.stderr)

    def report(self) -> dict[str, Any]:
        """Return what meta.json keeps of it."""
        return {"quarantined": self.quarantined, "notes": self.notes, "said": self.said, "warnings": self.warnings}


def counted(names: Sequence[str]) -> str:
    """Return how many files there are, and the first of their names."""
    return f"{len(names)} ({first_names(names)})"


def first_names(names: Sequence[str]) -> str:
    """Return the first few names, in one line."""
    return ", ".join(names[:MAX_NAMED]) + ", ..." * (len(names) > MAX_NAMED)


def _is_of_all(note: str) -> bool:
    """Whether a note repeats what a line on the whole data says."""
    return note.startswith("values from")


def _grouped(entries: Sequence[tuple[str, str]]) -> list[str]:
    """Texts that differ in numbers and names alone as one line each, the most frequent first."""
    alike: dict[str, list[tuple[str, str]]] = {}
    for text, name in entries:
        alike.setdefault(re.sub(r"\d+|\S+\.\w+|'.*?'", "#", text), []).append((text, name))
    groups = sorted(alike.values(), key=len, reverse=True)
    lines = [
        f"{group[0][0]}{', or the like' if len({text for text, _ in group}) > 1 else ''}: "
        f"{counted([name for _, name in group])}"
        for group in groups[:MAX_LINES]
    ]
    more = sum(len(group) for group in groups[MAX_LINES:])
    return [*lines, *([f"and {more} more"] if more else [])]
