"""What the history tells while a run trains: of runs that are heading wrong early, of healthy ones nothing."""

import pytest
from cases import history, run_of

from vaelab import artifacts, storage
from vaelab.diagnosis.case import Case
from vaelab.diagnosis.early import Watcher, notes, overfit_share, planned_distance

FALLING = [42.0, 40, 36, 32, 29, 27, 26, 25.5, 25.2, 25, 24.9, 24.9]


def rows(rates, gaps, losses=FALLING, rate=1e-3):
    found = history(losses, losses, "distortion", rate)[: 2 * len(rates)]
    for row, nats, gap in zip((row for row in found if row["phase"] == "val"), rates, gaps, strict=True):
        row |= {"kl": nats, "latent_gap": gap, "kl_weight": 20.0}  # while it trains, numbers are no texts
    return found


def told(rows, run=None, possible=None):
    return dict(notes(Case(run or run_of("tags"), history=rows), possible))


def test_a_rate_that_falls_to_nothing_is_named_in_the_second_epoch():
    collapsing = rows([0.39, 0.24, 0.17], [0.0, -0.03, 0.01])
    assert told(collapsing[:2]) == {}
    found = told(collapsing[:4], possible=40.0)
    assert list(found) == ["beta_too_high"]
    assert "rate = 0.24 nats, below 0.5" in found["beta_too_high"]
    assert found["beta_too_high"].endswith("where 40 are possible.")
    assert list(told(collapsing)) == ["beta_too_high"]


@pytest.mark.parametrize(
    ("rates", "gaps"),
    [
        ([0.57, 0.69, 1.3, 3.0], [0.4, 1.1, 3.1, 8.6]),  # h_tag of the plants: low at first, and rising
        ([1.3, 0.6, 0.5, 0.48], [3.0, 2.0, 1.5, 1.5]),  # falls, but the decoder needs it
        ([84, 37, 46, 42], [90, 80, 85, 88]),  # the weight of KL ramps up
        ([0.4, 0.2, 0.1, 0.1], [float("nan")] * 4),  # one example on val: nothing to compare with
    ],
)
def test_a_healthy_run_is_left_alone(rates, gaps):
    assert [told(rows(rates, gaps)[: 2 * end]) for end in range(1, 5)] == [{}] * 4


def test_steps_that_lead_nowhere_are_named_and_a_start_from_pca_is_not():
    run = run_of("tags", train={"epochs": 5})
    short = rows([1.1, 1.1, 1.1], [0.0, 0.01, 0.0], [42, 41.9, 41.8], rate=1e-5)
    assert planned_distance(Case(run, history=short)).value == pytest.approx(5 * 100 * 1e-5)
    assert list(told(short, run)) == ["not_learned"]
    assert told(rows([90, 90, 90], [500, 500, 500], [42, 41.9, 41.8], rate=1e-5), run) == {}


def test_what_val_falls_behind_is_over_what_was_gained():
    train, val = [40, 30, 25, 20, 15], [41, 35, 33, 32, 31.8]
    found = history(train, val, "distortion")
    for row, loss in zip((row for row in found if row["phase"] == "val"), val, strict=True):
        row |= {"loss": loss, "latent_gap": 8.0}
    start = {"epoch": 0, "phase": "val", "loss": 42.0, "kl": 1.0, "kl_weight": 1.0, "kl_weighted": 1.0}
    case = Case(run_of("tags"), history=[start, *found])
    assert overfit_share(case).value == pytest.approx((31.8 - 15) / (42 - 15))
    assert list(told(case.history)) == ["overfitting"]
    started = [row | {"latent_gap": 5000.0} for row in found]  # from PCA: little to gain on val, much to lose
    assert told([start, *started]) == {}
    unused = [row | {"latent_gap": 0.5} for row in found]
    assert told([start, *unused]) == {}


def test_unfinished_is_said_after_the_last_epoch_alone():
    falling = [40, 38, 36, 34, 32, 30]
    run = run_of("tags", train={"epochs": 6})
    assert told(history(falling, falling, "distortion")[:-2], run) == {}
    assert list(told(history(falling, falling, "distortion"), run)) == ["unfinished"]


def test_a_watcher_knows_the_rate_of_an_earlier_evaluation_and_looks_less_often_later(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = run_of("tags", train={"epochs": 1000})
    assert Watcher(run).possible is None
    storage.write_json(artifacts.evaluation(run.name), {"run": {"rate_star_1": 12.0}, "test": {}})
    watcher = Watcher(run)
    collapsing = rows([0.39, 0.24], [0.0, 0.0])
    assert "where 12 are possible" in dict(watcher(collapsing))["beta_too_high"]
    healthy = rows([0.39, 0.8], [0.0, 3.0])
    moved = [row | {"epoch": epoch} for row, epoch in zip(healthy, (501, 501, 502, 502), strict=True)]
    assert watcher(moved) == watcher(collapsing)
    moved[-1]["epoch"] = moved[-2]["epoch"] = 520
    assert watcher(moved) == []
