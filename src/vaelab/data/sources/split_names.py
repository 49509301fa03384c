"""Words that name a split, as folders, list files and columns have them: Train, VALID, dev, validation, test2017."""

import re
from collections.abc import Iterable

WORDS = {
    "train": ("train", "training", "trn", "learn", "learning"),
    "val": ("val", "valid", "validation", "validate", "vld", "dev", "devel", "development"),
    "test": ("test", "testing", "tst", "hold_?out", "held_?out"),
}
SHORT = {"train": ("tr", "trainval"), "val": ("va", "vl", "vd", "eval"), "test": ("te", "ts", "tt")}
ABOUT = "set|sets|split|data|images?|imgs?|files?|list|ids?|names?"  # what may stand beside the word
NAMED = {
    phase: re.compile(rf"(?:(?:{ABOUT})_|\d+_)?(?:{'|'.join(words)})(?:_?(?:{ABOUT}|\d+))*", re.ASCII)
    for phase, words in WORDS.items()
}


def split_named(text: str) -> str | None:
    """Return the split that a word names, in any case: train, val or test; None where it names none."""
    word = re.sub(r"[\s_.-]+", "_", text.strip().lower())
    return next((phase for phase, pattern in NAMED.items() if pattern.fullmatch(word)), None)


def perhaps_named(text: str) -> str | None:
    """Return the split that a word may stand for, which may as well be a language or a class; None for other words."""
    word = text.strip().lower()
    return split_named(word) or next((phase for phase, short in SHORT.items() if word in short), None)


def whole(phases: Iterable[str]) -> bool:
    """Return whether these splits are all that is needed: train, and one to measure on."""
    found = set(phases)
    return "train" in found and len(found) > 1
