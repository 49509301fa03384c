"""Every path that a stage reads or writes, and how a file is written: whole or not at all."""

import csv
import errno
import json
import math
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from vaelab.errors import InputError
from vaelab.params.schema import Run

PARAMS = Path("params.yaml")
RUNS = Path("data/runs")
BEST = Path("metrics/best.json")
COMPARISON_CSV = Path("metrics/comparison.csv")
COMPARISON_TEXT = Path("metrics/comparison_report.txt")
COMPARISON_MARKDOWN = Path("metrics/comparison_report.md")
COMPARISON_HTML = Path("metrics/comparison_report.html")
SUMMARIES = Path("metrics/summary")
COMPARISON_CURVES = Path("plots/comparison/curves.csv")
COMPARISON_DEFECTS = Path("plots/comparison/defects")
COMPARISON_PICTURES = Path("plots/comparison/pictures")
SCRATCH = Path(".scratch")
FORMULA = ("=", "+", "-", "@", "\t", "\n")  # how a text begins that a spreadsheet runs

_UMASK = os.umask(0o022)
os.umask(_UMASK)


def resolved(run: str) -> Path:
    """Return the path of a resolved run."""
    return RUNS / f"{run}.yaml"


def prepared(data: str) -> Path:
    """Return the folder of a prepared data set."""
    return Path("data/prepared") / data


def models(run: str) -> Path:
    """Return the folder of a run's weights, checkpoints and history."""
    return Path("models") / run


def scores(run: str) -> Path:
    """Return the folder of what later stages read without torch: tables, latents, reconstructions."""
    return Path("data/scores") / run


def score_maps(folder: Path, phase: str) -> Path:
    """Return the path of the anomaly scores of a phase, in the scores of a run."""
    return folder / f"anomaly-{phase}.safetensors"


def score_reconstructions(folder: Path, phase: str) -> Path:
    """Return the path of the reconstructions that the anomaly scores of a phase are of."""
    return folder / f"reconstructed-{phase}.safetensors"


def thresholds(run: str) -> Path:
    """Return the folder of the tables of a run's threshold: examples, scores, groups, defects ..."""
    return Path("data/thresholds") / run


def compared(run: str) -> Path:
    """Return the path of the digests of what compare reads of a run."""
    return Path("data/compared") / f"{run}.json"


def threshold_metrics(run: str) -> Path:
    """Return the path of a run's threshold with its measures."""
    return Path("metrics/threshold") / f"{run}.json"


def threshold_plots(run: str) -> Path:
    """Return the folder of the curves of a run's threshold, for `dvc plots`."""
    return Path("plots/threshold") / run


def plots(run: str) -> Path:
    """Return the folder of a run's pictures."""
    return Path("plots/runs") / run


def evaluation(run: str) -> Path:
    """Return the path of all metrics of a run, by phase."""
    return Path("metrics/evaluate") / f"{run}.json"


def headline(run: str) -> Path:
    """Return the path of the few metrics of a run that `dvc metrics show` lists."""
    return Path("metrics/headline") / f"{run}.json"


def summary(run: str) -> Path:
    """Return the path of the resolved configuration of a run with its metrics."""
    return SUMMARIES / f"{run}.json"


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Yield a temporary path that becomes `path` when the block ends well, and vanishes otherwise.

    Raises:
        InputError: the disk is full or the place cannot be written.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.chmod(0o666 & ~_UMASK)  # safetensors writes 0600
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:
        raise _unwritable(path, error) from error
    finally:
        if temporary.is_file():
            temporary.unlink()


def _unwritable(path: Path, error: Exception) -> InputError:
    full = getattr(error, "errno", None) == errno.ENOSPC or "No space left" in str(error)
    if full:
        free = shutil.disk_usage(path.parent).free / 2**20
        advice = "nothing that was there is lost: free some space and run the same command again"
        return InputError(f"{path}: the disk is full ({free:.0f} MiB free); {advice}")
    return InputError(f"{path}: cannot be written: {error}")


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_yaml(path: Path, value: Mapping[str, Any]) -> None:
    """Write a mapping as YAML, keys in their order."""
    write_text(path, yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True))


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write JSON; NaN and infinity, which JSON lacks, become null."""
    write_text(path, json.dumps(_without_nan(value), indent=2, allow_nan=False) + "\n")


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file. Raises InputError when it is missing or is not JSON."""
    try:
        value: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; `dvc repro` makes it") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON: {error}") from None
    return value


def write_csv(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write a table with the columns of its first row; floats with 7 significant digits.

    A text that a spreadsheet would run as a formula gets an apostrophe in front (OWASP, CSV injection); a
    carriage return becomes a line feed.
    """
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
        writer.writerow({name: _cell(name) for name in writer.fieldnames})
        for row in rows:
            writer.writerow({name: _cell(value) for name, value in row.items()})


def _cell(value: Any) -> Any:
    if isinstance(value, float):
        return f"{value:.7g}"
    if not isinstance(value, str):
        return value
    text = value.replace("\r\n", "\n").replace("\r", "\n")  # csv puts no quotes around \r before Python 3.13
    return f"'{text}" if text.startswith(FORMULA) else text


def write_tensors(path: Path, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None) -> None:
    """Write named arrays as safetensors."""
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    with atomic(path) as temporary:
        save_file(contiguous, temporary, metadata=dict(metadata or {}))


def read_tensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Return the arrays and the metadata of a safetensors file.

    Raises:
        InputError: the file is missing or damaged.
    """
    with opened(path, "numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, dict(file.metadata() or {})  # noqa: SIM118


@contextmanager
def opened(path: Path, framework: str) -> Iterator[Any]:
    """Yield an open, memory-mapped safetensors file; framework is "numpy" or "pt".

    Raises:
        InputError: the file is missing or damaged.
    """
    try:
        with safe_open(path, framework=framework) as file:
            yield file
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; `dvc repro` makes it") from None
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: damaged or not a safetensors file ({error}); delete it and make it again") from None


def write_run(run: Run) -> None:
    """Write a resolved run to its place."""
    write_yaml(resolved(run.name), run.model_dump())
