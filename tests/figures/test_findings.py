"""Each ill run has a picture that shows its first finding, beside what is recommended."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from comparisons import ill, result
from helpers import random_tags, write_tags
from matplotlib.text import Text
from safetensors.numpy import save_file

from vaelab import artifacts
from vaelab.comparison.judge import judge_all
from vaelab.figures import findings
from vaelab.figures.findings import finding_pictures
from vaelab.figures.kinds import FIGURES
from vaelab.metrics.tables import TABLES
from vaelab.params.schema import Compare


@pytest.fixture
def saved(tmp_path, monkeypatch):
    """Makes runs on tags as the stages leave them; what is drawn is kept, not written."""
    monkeypatch.chdir(tmp_path)
    write_tags(artifacts.prepared("rows"))
    x = random_tags(24).numpy()
    drawn = {}
    monkeypatch.setattr(findings, "save_png", lambda figure, path: drawn.update({path: figure}))

    def run(name, **numbers):
        folder = artifacts.scores(name)
        folder.mkdir(parents=True)
        arrays = {"x": x, "reconstruction": x.astype(np.float32), "ids": np.arange(24)}
        arrays |= {what: np.ones((24, 4), np.float32) for what in ("mean", "log_var")}
        save_file({f"test_{what}": values for what, values in arrays.items()}, folder / "arrays.safetensors")
        score = TABLES["tags"].example_score
        pd.DataFrame({"phase": "test", "index": range(24), score: np.ones(24)}).to_csv(
            folder / "examples.csv", index=False
        )
        rows = {"run": name, "phase": ["train", "val"], "epoch": 1} | dict.fromkeys(FIGURES["tags"].curves, 1.0)
        return result(name, "tags", "rows", **numbers)._replace(history=pd.DataFrame(rows))

    def pictures(*results):
        shown = dict(finding_pictures(results, judge_all(results, Compare()), Compare(samples=2), Path("drawn")))
        return shown, drawn

    return run, pictures


def test_a_healthy_run_has_no_picture(saved):
    run, pictures = saved
    assert pictures(run("fine"), ill(run("noted"), "prior_hole", severity="note")) == ({}, {})


@pytest.mark.parametrize(
    ("cause", "title"),
    [
        ("not_learned", "bad: reconstructions, beside fine, which is recommended"),
        ("unstable", "bad: training, beside fine, which is recommended"),
        ("beta_too_low", "bad: posteriors beside the prior"),
        ("threshold_too_high", "bad: reconstructions, beside fine, which is recommended"),  # nothing was drawn of it
    ],
)
def test_the_picture_depends_on_the_cause(saved, cause, title):
    run, pictures = saved
    shown, drawn = pictures(run("fine"), ill(run("bad"), cause, "unfinished"))
    assert {name: picture.title for name, picture in shown.items()} == {"bad": title}
    assert list(drawn) == [shown["bad"].path] == [Path("drawn/bad.png")]
    words = [text.get_text() for text in drawn[shown["bad"].path].findobj(Text)]
    assert any("fine" in word for word in words) == ("fine" in title)


def test_a_picture_of_defects_that_is_there_is_not_drawn_again(saved):
    run, pictures = saved
    path = artifacts.COMPARISON_DEFECTS / "bad/histogram.png"
    path.parent.mkdir(parents=True)
    path.touch()
    shown, drawn = pictures(ill(run("bad"), "calibration_shift"))
    assert (shown["bad"].path, drawn) == (path, {})
