"""What stages saved of runs that look for defects, as tables and pictures for a notebook."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from vaelab import artifacts, storage
from vaelab.commands.notebook.titles import SCORE
from vaelab.data.format.prepared import read_rows
from vaelab.figures.defects.run import defect_pictures
from vaelab.metrics.tables import DEFECT_MEASURES, metric
from vaelab.params.resolve import read_run
from vaelab.params.schema import Run
from vaelab.params.threshold import Threshold

SPLIT, WITH_SCORES = "defects", ("val", "test", "defects")
PICTURES = ("histogram", "by_defect", "found_and_missed", "all_missed", "false_alarms")


def has_defects(run: str) -> bool:
    """Return whether the defects of the data of a run were scored, and its threshold found."""
    kept = artifacts.score_reconstructions(artifacts.scores(run), SPLIT).is_file()
    return kept and (artifacts.thresholds(run) / "examples.csv").is_file()


def scored(run: str) -> pd.DataFrame:
    """Return a row per example that was scored: which it is, its defect, score, and whether it is flagged."""
    columns = ["phase", "id", "group", "defect", "label", "strip", "combined", "flagged"]
    table = pd.read_csv(artifacts.thresholds(run) / "examples.csv", usecols=columns)[columns]
    table = table[table["phase"].isin(WITH_SCORES)].astype({"label": bool, "flagged": bool})
    return table.rename(columns={"id": "index", "combined": SCORE})


def with_scores(run: str, examples: pd.DataFrame) -> pd.DataFrame:
    """Return a table of examples with their anomaly scores, and the defects below; as it is where there are none."""
    if not has_defects(run):
        return examples
    rows = scored(run)[["phase", "index", "group", SCORE, "defect", "flagged"]]
    found = examples.merge(rows.drop(columns="group"), how="left", on=["phase", "index"])
    return pd.concat([found, rows[rows["phase"] == SPLIT]], ignore_index=True)


def array(run: str, what: str) -> np.ndarray:
    """Return `ids`, `x` or `reconstruction` of the defects whose reconstructions are saved."""
    name = "ids" if what == "x" else what
    with storage.opened(artifacts.score_reconstructions(artifacts.scores(run), SPLIT), "numpy") as file:
        found: np.ndarray = file.get_tensor(name)
    data = read_run(artifacts.resolved(run)).data
    return read_rows(artifacts.prepared(data), SPLIT, "x", found.tolist()) if what == "x" else found


def psnr(x: np.ndarray, reconstruction: np.ndarray) -> np.ndarray:
    """Return the PSNR of images uint8 [n, C, S, S], dB [n]."""
    import torch  # seconds, which runs without defects need not wait for

    from vaelab.measures.image.reconstruction import errors

    found: np.ndarray = errors(*(torch.from_numpy(images) / 255 for images in (x, reconstruction)))["psnr"].numpy()
    return found


def headline(runs: Sequence[str]) -> pd.DataFrame:
    """Return how well runs find defects: a row per metric with its title, a column per run."""
    found = {run: storage.read_json(artifacts.threshold_metrics(run)) for run in runs}
    titles = [metric(f"defect_{name}").full_title for name in DEFECT_MEASURES]
    return pd.DataFrame(
        {run: [values.get(name) for name in DEFECT_MEASURES] for run, values in found.items()}, index=titles
    ).dropna(how="all")


def wrong(run: str) -> pd.DataFrame:
    """Return the defects that the threshold of a run misses, and the examples without one that it flags, by kind."""
    table = scored(run)
    table = table[(table["phase"] != "val") & (table["label"] != table["flagged"])]
    said = np.where(table["label"], "missed", "false alarm")
    rows = table.assign(outcome=said).sort_values(["outcome", "defect", SCORE], ascending=[False, True, True])
    return rows.set_index("outcome")[["defect", "group", "strip", SCORE, "phase", "index"]]


def pictures(run: str) -> Iterator[Figure]:
    """Yield scores, recall by kind of defect, and found, missed and falsely flagged examples with their maps."""
    for name, figure in defect_pictures(_as_used(run)):
        if name in PICTURES:
            yield figure


def _as_used(name: str) -> Run:
    """The run with the options that its threshold was found with, which `threshold.select` may have chosen."""
    run, used = read_run(artifacts.resolved(name)), storage.read_json(artifacts.thresholds(name) / "settings.json")
    return run.model_copy(update={"threshold": Threshold.model_validate(used)})
