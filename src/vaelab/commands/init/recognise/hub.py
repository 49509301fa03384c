"""Tables of Hugging Face's datasets, one or several files for each split: data/train-00000-of-00001.parquet."""

import re
from collections.abc import Sequence
from pathlib import Path

from vaelab.commands.init.recognise.found import not_understood
from vaelab.data.sources.split_names import split_named, whole

SHARD = re.compile(r"(.+)-\d+-of-(\d+)", re.ASCII)
ENTRY = "source: tags_csv, path: {place}, tags: COLUMN"


def splits_of(path: Path, files: Sequence[Path]) -> dict[Path, Path]:
    """Return the names that tables by split need, and the files, below `path`; nothing where they are named otherwise.

    Raises:
        InputError: a split has several files.
    """
    shards = {file: match for file in files if (match := SHARD.fullmatch(file.name.split(".")[0]))}
    phases = {file: phase for file, match in shards.items() if (phase := split_named(match[1]))}
    if not whole(phases.values()):
        return {}
    if len(set(phases.values())) < len(phases):
        mend = """\
Join those of each split, in Python: pandas.concat(map(pandas.read_parquet, sorted(glob.glob("data/train-*")))
  ).to_parquet("mine/train.parquet"), so with the others,"""
        raise not_understood(
            path, f"tables by split, {len(phases)} files of {len(set(phases.values()))}", mend, ENTRY, "tags"
        )
    return {Path(f"{phase}{file.suffix.lower()}"): file.relative_to(path) for file, phase in phases.items()}
