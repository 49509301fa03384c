"""Made-up cases: saved numbers of runs that were never trained."""

from typing import Any

from vaelab.diagnosis.case import Case
from vaelab.diagnosis.engine import diagnose
from vaelab.params.schema import Run


def run_of(kind: str, **blocks: Any) -> Run:
    return Run.model_validate({"name": "some", "data": "data", "kind": kind, "preset": None, **blocks})


def history(losses: list[float], val: list[float], column: str, rate: float = 1e-3, norm: float = 1.0) -> list[dict]:
    rows = []
    for epoch, (loss, value) in enumerate(zip(losses, val, strict=True), 1):
        terms = {"kl": "1", "kl_weight": "1", "kl_weighted": "1", "learning_rate": str(rate), "step": str(100 * epoch)}
        rows.append({"epoch": str(epoch), "phase": "train", "loss": str(loss), "gradient_norm": str(norm), **terms})
        rows.append({"epoch": str(epoch), "phase": "val", "loss": str(loss), column: str(value)})
    return rows


def tags(**changes: Any) -> Case:
    """A healthy run of tags, numbers of its phases changed by their paths: {"test.distortion": 40}."""
    floors = {"frequency": {"distortion": 41.0, "lrap": 0.18}, "pca": {"distortion_at_mean": 11.0}}
    values = {
        "distortion": 15.0, "distortion_at_mean": 13.0, "rate": 20.0, "snr_max": 5.0, "active_units": 32,
        "predicted_tags": 11.0, "true_tags": 12.0, "entropy": 6.2, "real_entropy": 6.3, "floors": floors,
        "ablations": {"shuffled_z": {"distortion": 90.0}},
    }  # fmt: skip
    phases = {phase: {**values, "floors": {**floors}} for phase in ("train", "val", "test")}
    metrics = {**phases, "run": {"effective_beta": 1.0, "effective_beta_measured": 1.0, "latent_dim": 32}}
    case = Case(run_of("tags"), metrics, history([40, 30, 26, 25, 25, 25], [40, 30, 26, 25, 25, 25.1], "distortion"))
    return changed(case, changes)


def image(**changes: Any) -> Case:
    """A healthy run of images."""
    floors = {
        "mean_image": {"mse": 0.06, "psnr": 12.0, "distortion": 1000.0},
        "pca": {"mse": 0.006, "psnr": 22.0, "distortion_at_mean": -900.0},
    }
    values = {
        "psnr": 22.5, "mse": 0.006, "distortion": -1000.0, "distortion_at_mean": -1016.0, "rate": 90.0,
        "snr_max": 500.0, "active_units": 32, "diversity_ratio": 0.95, "floors": floors,
        "explained_variance": 0.9, "resolved_cycles": 4, "data_cycles": 4,
        "ablations": {"shuffled_z": {"distortion": 1500.0}}, "psnr_group_gray": 23.0, "psnr_group_colour": 22.0,
    }  # fmt: skip
    phases = {phase: {**values} for phase in ("train", "val", "test")}
    metrics = {**phases, "run": {"effective_beta": 1.0, "effective_beta_measured": 1.0, "latent_dim": 32}}
    groups = {phase: {"gray": 50, "colour": 150} for phase in ("train", "val", "test")}
    rows = history([1, -500, -900, -950, -960, -960], [12, 18, 21, 22, 22.2, 22.1], "psnr")
    case = Case(run_of("image"), metrics, rows, groups=groups, dimensions=dimensions(0.0, 1.0))
    return changed(case, changes)


def grid(**changes: Any) -> Case:
    """A healthy run of grids."""
    floors = {
        "frequency": {"distortion": 180.0},
        "pca": {"distortion_at_mean": 67.0, "foreground_accuracy": 0.6},
    }
    values = {
        "accuracy": 0.85, "foreground_accuracy": 0.75, "blank_share": 0.0, "rate": 60.0, "snr_max": 100.0,
        "active_units": 100, "floors": floors, "distortion": 54.0, "distortion_at_mean": 20.0,
        "ablations": {"shuffled_z": {"distortion": 850.0}},
    }  # fmt: skip
    metrics = {phase: {**values} for phase in ("train", "val", "test")}
    metrics["run"] = {"effective_beta": 0.3, "effective_beta_measured": 0.5, "latent_dim": 128}
    return changed(Case(run_of("grid"), metrics), changes)


def defects(**changes: Any) -> Case:
    """A healthy run of images that found the defects; changes of threshold.* are of its summary."""
    summary = {
        "scored": True, "labelled": True, "roc_auc": 0.8, "roc_auc_low": 0.7, "roc_auc_high": 0.9, "recall": 0.5,
        "f1": 0.6, "percentile_used": 95.0, "fpr_normal": 0.06, "fpr_nominal": 0.05, "val_normals": 100,
        "test_normals": 100, "calibration_ks_p": 0.4, "mask_z": 9.0, "mask_z_ideal": 30.0,
        "settings": {"scores": ["mahalanobis"], "aggregation": "max"},
    }  # fmt: skip
    sweep = [{"percentile": "85", "f1": "0.64"}, {"percentile": "95", "f1": "0.6"}, {"percentile": "99", "f1": "0.3"}]
    ways = [{"aggregation": name, "average_precision": value} for name, value in (("mean", "0.5"), ("max", "0.6"))]
    case = image()._replace(threshold=summary, tables={"percentiles": sweep, "aggregations": ways})
    return changed(case, changes)


def dimensions(mean: float, std: float) -> list[dict]:
    row = {"aggregate_mean": str(mean), "aggregate_std": str(std)}
    return [{"phase": "test", "dimension": str(j), **row} for j in range(32)]


def changed(case: Case, changes: dict[str, Any]) -> Case:
    """The case with numbers at other values; keys with __ for dots, so that they may be arguments."""
    metrics = _copied({**case.metrics, "threshold": case.threshold})
    for key, value in changes.items():
        *path, last = key.split("__")
        place = metrics
        for name in path:
            place = place.setdefault(name, {})
        place[last] = value
    threshold = metrics.pop("threshold")
    return case._replace(metrics=metrics, threshold=threshold)


def _copied(values: Any) -> Any:
    return {key: _copied(inner) for key, inner in values.items()} if isinstance(values, dict) else values


def causes(case: Case) -> list[str]:
    return [finding.cause.id for finding in diagnose(case).findings]
