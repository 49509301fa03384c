"""Two runs on the same patches: the difference, its interval, and what does not compare."""

import pytest
from anomaly import planted_scores
from anomaly.planted_scores import DATA, planted, write_planted

from vaelab import artifacts
from vaelab.anomaly.threshold import threshold_run
from vaelab.comparison.paired import paired_differences
from vaelab.errors import InputError
from vaelab.params.threshold import Threshold


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def stage(name: str, monkeypatch: pytest.MonkeyPatch, **settings: object) -> None:
    monkeypatch.setattr(planted_scores, "RUN", name)
    write_planted(planted())
    threshold_run(name, DATA, Threshold.model_validate({"bootstrap": 100, **settings}))


def test_it_is_the_difference_that_one_run_finds_between_its_scores(monkeypatch):
    stage("good", monkeypatch, scores=("residual",))
    stage("poor", monkeypatch, scores=("pca_residual",))
    found = {row["measure"]: row for row in paired_differences("good", "poor", 200, 0)}
    assert list(found) == ["roc_auc", "average_precision", "f1_max"]
    within = {row["measure"]: row for row in paired_differences("good", "good", 200, 0, other_score="pca_residual")}
    for name, row in found.items():
        assert row["difference"] == row["good"] - row["poor"] > 0.1
        assert 0 < row["low"] < row["difference"] < row["high"]
        assert [row[key] for key in ("difference", "low", "high")] == [
            within[name][key] for key in ("difference", "low", "high")
        ]
    for row in paired_differences("good", "good", 200, 0):
        assert (row["difference"], row["low"], row["high"]) == (0, 0, 0)


def test_the_order_of_the_rows_does_not_matter(monkeypatch):
    stage("good", monkeypatch)
    stage("poor", monkeypatch, scores=("pca_residual",))
    before = paired_differences("good", "poor", 50, 0)
    path = artifacts.thresholds("poor") / "examples.csv"
    header, *rows = path.read_text().splitlines()
    path.write_text("\n".join([header, *reversed(rows)]) + "\n")
    assert paired_differences("good", "poor", 50, 0) == before


def test_what_does_not_compare(monkeypatch):
    stage("good", monkeypatch)
    with pytest.raises(InputError, match="no such file"):
        paired_differences("good", "none", 10, 0)
    with pytest.raises(InputError, match="has no score 'ssim'"):
        paired_differences("good", "good", 10, 0, score="ssim")
    threshold_run("empty", DATA, Threshold())
    with pytest.raises(InputError, match="has no patches of test or defects; the run is not scored"):
        paired_differences("good", "empty", 10, 0)
    stage("other", monkeypatch)
    path = artifacts.thresholds("other") / "examples.csv"
    path.write_text(path.read_text().replace("strip_203", "strip_299"))
    with pytest.raises(InputError, match="other patches or labels; only runs on the same data"):
        paired_differences("good", "other", 10, 0)
