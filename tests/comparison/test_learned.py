"""What the curve of a run tells: whether training helped, and may help further."""

import pandas as pd
from comparisons import ill, result

from vaelab.comparison.advice import entries_of, next_step
from vaelab.comparison.judge import judge
from vaelab.comparison.learned import below_start, still_rises
from vaelab.comparison.opening import health
from vaelab.params.schema import Compare


def curve(*values, kind="image", kept=None, **facts):
    """A run with these values of PSNR on val from epoch 0 on."""
    rows = [{"epoch": epoch, "phase": "val", "psnr": value} for epoch, value in enumerate(values)]
    found = result("a", kind, facts={"best_epoch": len(values) - 1 if kept is None else kept})
    return found._replace(history=pd.DataFrame(rows))


def test_kept_weights_that_are_worse_than_the_start_are_said():
    found = curve(34.5, 34.0, 34.33)
    assert below_start(found, "psnr") == "PSNR on val is 0.17 dB worse than at its start, before training"
    ((_, line),) = health([found], judge([found], Compare())).lines
    assert line.endswith(". Its PSNR on val is 0.17 dB worse than at its start, before training")
    assert not below_start(curve(34.5, 34.0, 34.6), "psnr")
    assert not below_start(curve(34.5, 34.0, kept=0), "psnr")
    assert not below_start(result("a", "image"), "psnr"), "no curve"


def test_longer_training_is_advised_only_where_the_curve_still_rises():
    def step(run):
        return next_step(judge([run], Compare()), entries_of([run]))

    rising, flat = curve(30.0, 31.0, 32.0), curve(30.0, 33.98, 33.99)
    assert (still_rises(rising, "psnr"), still_rises(flat, "psnr")) == (True, False)
    assert still_rises(result("a", "image"), "psnr") is None
    assert step(rising)[0] == "To train a 10 times as long, beside the others:"
    assert step(flat) == ("", "")
    sick = ill(flat, "detail_lost", severity="costs")
    assert step(sick) == ("What to try first:", "dvc exp run -S '++runs.a.loss.beta=0.3'")
