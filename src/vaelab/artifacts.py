"""Every path that a stage reads or writes."""

from pathlib import Path

PARAMS = Path("params.yaml")
RUNS = Path("data/runs")
BEST = Path("metrics/best.json")
ACROSS_RUNS = Path("metrics/across_runs.json")
COMPARISON_CSV = Path("metrics/comparison.csv")
COMPARISON_TEXT = Path("metrics/comparison_report.txt")
COMPARISON_MARKDOWN = Path("metrics/comparison_report.md")
COMPARISON_HTML = Path("metrics/comparison_report.html")
SUMMARIES = Path("metrics/summary")
COMPARISON_CURVES = Path("plots/comparison/curves.csv")
COMPARISON_DEFECTS = Path("plots/comparison/defects")
COMPARISON_FINDINGS = Path("plots/comparison/findings")
COMPARISON_PICTURES = Path("plots/comparison/pictures")
TREATMENTS = Path("metrics/treatments")
SCRATCH = Path(".scratch")


def resolved(run: str) -> Path:
    """Return the path of a resolved run."""
    return RUNS / f"{run}.yaml"


def dataset(data: str) -> Path:
    """Return the path of a resolved data set."""
    return Path("data/datasets") / f"{data}.yaml"


def prepared(data: str) -> Path:
    """Return the folder of a prepared data set."""
    return Path("data/prepared") / data


def models(run: str) -> Path:
    """Return the folder of a run's weights, checkpoints and history."""
    return Path("models") / run


def failed(run: str) -> Path:
    """Return the folder of what is known of a training that had to stop: no model, which later stages would take."""
    return Path("metrics/failed") / run


def training(run: str) -> Path:
    """Return the path of why a training ended."""
    return Path("metrics/training") / f"{run}.json"


def seconds(run: str) -> Path:
    """Return the path of what the last training here took: no output of a stage, since it differs each time."""
    return Path("metrics/seconds") / f"{run}.json"


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


def diagnosis(run: str) -> Path:
    """Return the path of the findings of a run, with their evidence and prescriptions."""
    return Path("metrics/diagnose") / f"{run}.json"


def health(run: str) -> Path:
    """Return the path of the short form of a run's diagnosis, which `dvc metrics show` lists."""
    return Path("metrics/health") / f"{run}.json"


def treatments(run: str) -> Path:
    """Return the path of what `vaelab treat` tried on a run."""
    return TREATMENTS / f"{run}.json"


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
