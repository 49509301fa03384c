"""What is wrong with score files, prepared data or options is one clear message, and nothing is written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from anomaly.planted_scores import DATA, RUN, Arrays, planted, write_planted
from pydantic import ValidationError

from vaelab import artifacts, storage
from vaelab.anomaly.threshold import threshold_run
from vaelab.errors import InputError
from vaelab.params.threshold import Threshold

Phases = dict[str, Arrays]


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def refused(text: str, **settings: Any) -> None:
    with pytest.raises(InputError, match=text):
        threshold_run(RUN, DATA, Threshold.model_validate({"bootstrap": 0, **settings}))
    assert not any(
        path.exists()
        for path in (artifacts.threshold_metrics(RUN), artifacts.thresholds(RUN), artifacts.threshold_plots(RUN))
    )


def first(phases: Phases, phase: str, count: int) -> None:
    phases[phase] = {name: array[:count] for name, array in phases[phase].items()}


def put(phase: str, name: str, value: float) -> Callable[[Phases], None]:
    def change(phases: Phases) -> None:
        phases[phase][name].reshape(-1)[70] = value

    return change


def lose(phase: str, *names: str) -> Callable[[Phases], None]:
    def change(phases: Phases) -> None:
        for name in names or list(phases[phase]):
            del phases[phase][name]
        if not phases[phase]:
            del phases[phase]

    return change


def halve(phases: Phases) -> None:
    phases["test"]["residual"] = phases["test"]["residual"][:, ::2, ::2]


def no_square(phases: Phases) -> None:
    phases["val"]["residual"] = phases["val"]["residual"][:, ::2]


def of_group(number: int) -> Callable[[Phases], None]:
    def change(phases: Phases) -> None:
        phases["test"]["group"] += number

    return change


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (put("val", "residual", np.nan), r"anomaly-val\.safetensors: score 'residual' of patch 1 is nan; expected"),
        (put("test", "pca_residual", np.inf), r"anomaly-test\.safetensors: score 'pca_residual' of patch 1 is inf"),
        (put("defects", "mahalanobis", -1), r"anomaly-defects\.safetensors: score 'mahalanobis' of patch 1 is -1\.0"),
        (lose("val"), r"anomaly-val\.safetensors: no such file; thresholds are fitted to the normals of val"),
        (lose("val", "strip", "top"), "has no strip, top; delete it"),
        (lose("val", "residual", "mahalanobis", "pca_residual"), "at least one map"),
        (lose("test", "residual"), r"anomaly-test\.safetensors: other scores than anomaly-val\.safetensors"),
        (halve, r"other scores than anomaly-val\.safetensors; expected .*residual \(8 cells a side\)"),
        (no_square, r"residual is \[60, 4, 8\], expected \[60, h, h\]"),
        (of_group(9), "group 9 to 10, and .*meta.json has 2 groups; score the data again"),
        (lambda phases: first(phases, "val", 0), "normal patches in val: 0; a threshold needs at least 2"),
        (lambda phases: first(phases, "val", 1), "normal patches in val: 1; a threshold needs at least 2"),
        (lambda phases: first(phases, "val", 10), "group 'linen' has 0 normal patches in val .*30 in test"),
        (lambda phases: first(phases, "val", 11), "group 'linen' has 1 normal patches in val"),
    ],
)  # fmt: skip
def test_score_files(change, text):
    phases = planted()
    change(phases)
    write_planted(phases)
    refused(text)


def test_options():
    write_planted(planted())
    known = r"\(known: mahalanobis, pca_residual, residual\)"
    refused(
        rf"threshold\.scores: 'residuals' is no score in .*did you mean 'residual'\? {known}", scores=("residuals",)
    )
    phases = planted()
    artifacts.score_maps(artifacts.scores(RUN), "val_defects").unlink()
    refused("max_f1 chooses by labelled defects of val, and there are none", method="max_f1")
    phases["val_defects"]["label"][:] = 0
    write_planted(phases)
    refused("max_f1 chooses by labelled defects of val, and there are none", method="max_f1")


def test_a_group_without_normals_needs_no_calibration():
    phases = planted()
    first(phases, "val", 10)
    write_planted(phases)
    threshold_run(RUN, DATA, Threshold(calibration="none", bootstrap=0))
    assert storage.read_json(artifacts.thresholds(RUN) / "summary.json")["val_normals"] == 10


def test_prepared_data():
    write_planted(planted())
    folder = artifacts.prepared(DATA)
    meta = storage.read_json(folder / "meta.json")
    storage.write_json(folder / "meta.json", {key: value for key, value in meta.items() if key != "groups"})
    refused("has no groups; prepare the data again")
    storage.write_json(folder / "meta.json", meta | {"files": meta["files"] | {"defects": []}})
    refused("0 masks are prepared, 80 patches are scored")
    (folder / "meta.json").unlink()
    refused("no such file")


def test_a_damaged_file():
    write_planted(planted())
    path = artifacts.score_maps(artifacts.scores(RUN), "test")
    path.write_bytes(path.read_bytes()[:-100])
    refused("damaged or not a safetensors file")
    Path("data/scores", RUN, "anomaly-test.safetensors").unlink()


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"percentile": 50}, "greater than 50"),
        ({"percentile": 100}, "less than 100"),
        ({"sweep": [85, 100]}, "less than 100"),
        ({"sweep": []}, "at least 1"),
        ({"scores": []}, "at least 1"),
        ({"scores": ["residual", "residual"]}, "names one twice"),
        ({"weights": [1.0]}, "1 weights for 2 scores: one for each, or none"),
        ({"weights": [1.0, 0.0]}, "greater than 0"),
        ({"aggregation": "median"}, "'mean', 'max' or 'top_k'"),
        ({"fpr_limit": 0}, "greater than 0"),
        ({"bootstrap": True}, "not true or false"),
    ],
)
def test_values(values, text):
    with pytest.raises(ValidationError, match=text):
        Threshold.model_validate(values)
