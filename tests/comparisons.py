"""Results as the stages leave them, built without training: for the tests of the comparison."""

from typing import Any

import numpy as np
import pandas as pd
from helpers import tiny_run

from vaelab import artifacts, outputs, storage
from vaelab.comparison.collect import Result
from vaelab.diagnosis.causes.table import CAUSES
from vaelab.metrics.nested import ABLATIONS, DEFECT_FLOORS, FLOORS, SAMPLE_FLOORS, SAMPLED
from vaelab.metrics.records import BASELINES, DEFECT_BASELINES
from vaelab.metrics.tables import TABLES

METRICS: dict[str, dict[str, Any]] = {
    "grid": {
        "loss": 60.0, "distortion": 50.0, "rate": 10.0, "negative_elbo": 60.0, "accuracy": 0.8, "macro_f1": 0.6,
        "foreground_accuracy": 0.7, "balanced_accuracy": 0.6, "exact_match": 0.1, "predicted_background_share": 0.55,
        "true_background_share": 0.5, "blank_share": 0.1, "active_units": 4, "pct_active_units": 50.0,
        "silhouette": 0.1, "floor_pca_macro_f1": 0.1, "floor_majority_macro_f1": 0.1, "sampled_macro_f1": 0.55,
    },
    "image": {
        "loss": 0.5, "distortion": -90.0, "rate": 10.0, "negative_elbo": -80.0, "psnr": 25.0, "ssim": 0.7, "mse": 0.01,
        "floor_mean_image_psnr": 20.0, "shuffled_z_psnr": 15.0, "active_units": 4, "sample_recall": 0.4,
        "real_recall": 0.9, "sampled_psnr": 30.0,
    },
    "tags": {
        "loss": 14.0, "bce": 12.0, "distortion": 12.0, "rate": 2.0, "negative_elbo": 14.0, "lrap": 0.7,
        "hamming_loss": 0.05, "jaccard_index": 0.4, "floor_frequency_lrap": 0.3, "shuffled_z_lrap": 0.25,
        "active_units": 4, "pct_active_units": 50.0, "silhouette": 0.1, "entropy": 4.0, "real_entropy": 5.0,
        "pct_unique_combinations": 40.0, "real_pct_unique_combinations": 60.0, "gini_coefficient": 0.3,
        "real_gini_coefficient": 0.25, "cosine_similarity": 0.9, "real_cosine_similarity": 0.95, "kl_divergence": 0.2,
        "real_kl_divergence": 0.1, "sampled_lrap": 0.65,
    },
}  # fmt: skip
KEPT = np.array([1, 4, 5, 9], dtype=np.int32)  # ids of the examples whose arrays are saved, of 12
SHAPES = {"grid": (8, 8), "image": (3, 16, 16), "tags": (12,)}
SCORES = {"grid": "accuracy", "image": "psnr", "tags": "jaccard_index"}
FACTS = {
    "effective_beta": 1.0, "effective_beta_measured": 1.0, "latent_dim": 4, "best_epoch": 2, "parameters": 1234,
    "bypass": False,
}  # fmt: skip


NESTED = {  # how columns of comparison.csv begin: where they are nested, and of which method
    **{f"{method}_": (ABLATIONS, method) for method in ("shuffled_z", "zero_z")},
    **{f"floor_{method}_": (FLOORS, method) for methods in BASELINES.values() for method in methods},
    "floor_independent_": (SAMPLE_FLOORS, "independent"),
    **{f"floor_score_{method}_": (DEFECT_FLOORS, method) for method in DEFECT_BASELINES},
}


def nested(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return metrics that are named like the columns of comparison.csv as metrics/evaluate/<run>.json has them."""
    found: dict[str, Any] = {FLOORS: {}, SAMPLED: {}}
    for name, value in metrics.items():
        if name.startswith("sampled_"):
            found[SAMPLED][name.removeprefix("sampled_")] = value
            continue
        prefix = max((prefix for prefix in NESTED if name.startswith(prefix)), key=len, default="")
        group = found.setdefault(NESTED[prefix][0], {}).setdefault(NESTED[prefix][1], {}) if prefix else found
        group[name.removeprefix(prefix)] = value
    return found


def result(
    name: str = "a",
    kind: str = "grid",
    data: str = "data",
    phases: tuple[str, ...] = ("train", "val", "test"),
    facts: dict[str, Any] | None = None,
    blocks: dict[str, dict[str, Any]] | None = None,
    **changes: Any,
) -> Result:
    """Return a healthy run with these changes to its metrics of all phases; `blocks` are laid over its options."""
    metrics: dict[str, dict[str, Any]] = {phase: nested({**METRICS[kind], **changes}) for phase in phases}
    run = tiny_run(name, data, kind, **(blocks or {}))
    return Result(run, {**metrics, "run": FACTS | (facts or {})}, pd.DataFrame())


def ill(found: Result, *causes: str, severity: str = "breaks") -> Result:
    """Return a run with findings of these causes, as stage diagnose has them."""
    numbers = {"metric": "gain", "title": "gain over knowing nothing", "value": 0.01, "limit": 0.15, "unit": ""}
    evidence = {**numbers, "better": "higher", "source": "metrics/evaluate/a.json: test.psnr"}
    tried = {
        "command": f"dvc exp run -S '++runs.{found.run.name}.loss.beta=0.3'", "changes": {"loss.beta": 0.3},
        "metric": "gain", "direction": "higher", "least": 0.1, "epochs": 12, "why": "KL weighs too much",
        "side_effects": "",
    }  # fmt: skip
    findings = [
        {
            "cause": cause, "severity": severity, "certainty": "sure", "explains": [], "evidence": [evidence],
            "summary": f"{CAUSES[cause].name}: gain 0.01, below 0.15.", "prescriptions": [tried],
        }
        for cause in causes
    ]  # fmt: skip
    healthy = not causes or severity == "note"
    return found._replace(diagnosis={"run": found.run.name, "healthy": healthy, "findings": findings, "unknown": {}})


def seeds(name: str, values: list[float], metric: str = "macro_f1", **options: Any) -> list[Result]:
    """Return one run for each value of a metric, with seeds 0, 1, ... and names that end in _s<seed>."""
    blocks = options.pop("blocks", {})
    return [
        result(
            f"{name}_s{seed}",
            blocks=blocks | {"train": blocks.get("train", {}) | {"seed": seed}},
            **{metric: value},
            **options,
        )
        for seed, value in enumerate(values)
    ]


def write_summary(found: Result, path: Any = None) -> None:
    """Write the summary that stage evaluate would, to its place or another one."""
    content = {"config": found.run.model_dump(), "metrics": found.metrics}
    storage.write_json(path or artifacts.summary(found.run.name), content)


def write(
    name: str, kind: str, seed: int, data: str = "data", phases: tuple[str, ...] = ("train", "val", "test")
) -> None:
    """Write what the stages leave of a run; array k of example i is filled with i."""
    outputs.write_run(tiny_run(name, data, kind))
    storage.write_json(artifacts.evaluation(name), {phase: {"loss": float(seed)} for phase in phases} | {"run": {}})
    x = np.broadcast_to(KEPT.astype(np.uint8).reshape(-1, *[1] * len(SHAPES[kind])), (len(KEPT), *SHAPES[kind]))
    arrays = {f"{phase}_ids": KEPT for phase in phases}
    arrays |= {f"{phase}_x": x for phase in phases} | {f"{phase}_reconstruction": x + seed for phase in phases}
    storage.write_tensors(artifacts.scores(name) / "arrays.safetensors", arrays)
    rows = [
        {"phase": phase, "index": i, SCORES[kind]: 100.0 * seed + i + 1000 * number}
        for number, phase in enumerate(phases)
        for i in range(12)
    ]
    storage.write_csv(artifacts.scores(name) / "examples.csv", rows)
    history = [
        {"epoch": epoch, "phase": phase, "loss": seed, **dict.fromkeys(TABLES[kind].history, 0.5)}
        for epoch in (0, 1, 2)
        for phase in ("train", "val")[not epoch :]
    ]
    storage.write_csv(artifacts.scores(name) / "history.csv", history)
