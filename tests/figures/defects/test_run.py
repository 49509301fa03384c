"""The pictures of a run that looks for defects, from scores that its stages saved."""

import shutil

import numpy as np
import pytest
from helpers import random_images, tiny_run

from vaelab import artifacts, storage
from vaelab.anomaly.threshold import threshold_run
from vaelab.comparison.collect import with_threshold
from vaelab.comparison.defects import defect_curves, shown_defects
from vaelab.data.format.info import image_info
from vaelab.data.format.prepared import Writer, read_rows
from vaelab.evaluation.scores.scoring import save_scores, whole_strips, write_scores
from vaelab.figures.canvas.files import save_png
from vaelab.figures.defects import film as film_module
from vaelab.figures.defects.film import film
from vaelab.figures.defects.run import defect_pictures, score_label
from vaelab.models.build import build
from vaelab.models.files import save_model
from vaelab.params.threshold import Threshold

SIDE, STRIPS, PER_STRIP = 32, 6, 3
GROUPS = ("00", "linen")
INFO = image_info(1, SIDE, GROUPS)
MODEL = {"name": "local", "latent": "map", "latent_channels": 3, "hidden": (8,), "per_group": True}
RUN = tiny_run(kind="image", model=MODEL, evaluate={"anomalies": "always"}, threshold={"bootstrap": 20})
LABELLED = {"histogram", "found_and_missed", "all_missed", "percentiles", "curves", "by_defect", "missed",
            "false_alarms", "most_anomalous", "least_anomalous", "strips"}  # fmt: skip


def phase_arrays(number, defects):
    count = STRIPS * PER_STRIP
    order = np.arange(count, dtype=np.int32)
    strip = (number * STRIPS + order // PER_STRIP).astype(np.int32)
    x = random_images(count, 1, SIDE, seed=number).numpy()
    arrays = {"x": x, "group": strip % 2, "strip": strip, "top": 0 * order, "left": order % PER_STRIP * 2 * SIDE}
    if defects:
        mask = np.zeros((count, 2 * SIDE, 2 * SIDE), np.uint8)
        mask[::2, 10:30, 20:24] = 1
        x[::2, :, 5:15, 10:12] = 255
        label = mask.any((1, 2)).astype(np.uint8)
        arrays |= {"mask": mask, "label": label, "defect": label.astype(np.int32)}
    return arrays


def score(defects, test):
    """Score a run on data with or without labelled defects in this folder, and find its threshold."""
    phases = ("train", "val", "test", *["defects"] * defects)
    writer = Writer(artifacts.prepared(RUN.data))
    for number, phase in enumerate(phases):
        if test or phase != "test":
            writer.add(phase, phase_arrays(number, phase == "defects"))
    names = [f"{number:04d}_000_00.png" for number in range(STRIPS * len(phases))]
    writer.finish(INFO, {
        "reduce": 2, "strip_names": names, "strip_shapes": [[2 * SIDE, 2 * SIDE * PER_STRIP]] * len(names),
        "strip_defects": ["none"] * (3 * STRIPS) + ["weft_crack"] * STRIPS, "defect_names": ["none", "weft_crack"],
    })  # fmt: skip
    weights = artifacts.models(RUN.name)
    for label in ("model", "checkpoints/epoch_001", "checkpoints/epoch_003"):
        model = build(RUN.model, INFO, seed=len(label))
        save_model(weights / f"{label}.safetensors", model.state_dict(), RUN, INFO, {"epoch": 1})
    write_scores(RUN, weights / "model.safetensors", artifacts.prepared(RUN.data))
    threshold_run(RUN.name, RUN.data, RUN.threshold)
    storage.write_json(artifacts.evaluation(RUN.name), {"run": {"best_epoch": 2}})


@pytest.fixture(scope="module")
def made():
    """Folders with what was scored, by the arguments of `score`."""
    return {}


@pytest.fixture
def scored(tmp_path, tmp_path_factory, monkeypatch, made):
    """Return a function that gives this folder what `score` makes, once for all tests, and returns the run."""

    def copied(defects=True, test=True):
        if (defects, test) not in made:
            made[defects, test] = tmp_path_factory.mktemp("scored")
            monkeypatch.chdir(made[defects, test])
            score(defects, test)
        shutil.copytree(made[defects, test], tmp_path, dirs_exist_ok=True)
        monkeypatch.chdir(tmp_path)
        return RUN

    return copied


def texts(figure):
    from matplotlib.text import Text

    return " ".join(text.get_text() for text in figure.findobj(Text))


def test_a_run_with_labels_has_all_pictures(scored, tmp_path):
    run = scored()
    found = dict(defect_pictures(run))
    assert set(found) == LABELLED
    for name, figure in found.items():
        save_png(figure, tmp_path / f"{name}.png")
        assert (tmp_path / f"{name}.png").stat().st_size > 3000
    assert "defect: weft crack" in texts(found["missed"])
    assert "00, defect" in texts(found["missed"])  # a group's name is no number
    assert "weft crack" not in texts(found["false_alarms"])
    assert "intact, of a defective strip" in texts(found["false_alarms"]) + texts(found["least_anomalous"])


def test_a_run_without_labels_has_those_that_need_none(scored):
    found = dict(defect_pictures(scored(defects=False)))
    assert set(found) == {"histogram", "percentiles", "false_alarms", "most_anomalous", "least_anomalous", "strips"}


def test_a_run_that_was_not_scored_has_none(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not list(defect_pictures(tiny_run(kind="image")))


def test_the_film_has_a_frame_of_one_size_for_each_checkpoint(scored):
    frames = list(film(scored(), save_scores))
    assert len(frames) == 3
    assert len({tuple(frame.get_size_inches()) for frame in frames}) == 1
    said = ("epoch 1: ROC AUC", "epoch 3: ROC AUC", "epoch 2, the reported model: ROC AUC")
    assert all(text in texts(frame) for text, frame in zip(said, frames, strict=True))


def test_the_film_tells_the_auc_of_the_report_and_of_some_patches_none(scored, monkeypatch):
    run = scored()
    auc = storage.read_json(artifacts.thresholds(run.name) / "summary.json")["roc_auc"]
    *others, last = film(run, save_scores)
    assert f"the reported model: ROC AUC {auc:.3f} of" in texts(last)
    same = artifacts.models(run.name) / "checkpoints/epoch_003.safetensors"
    shutil.copyfile(artifacts.models(run.name) / "model.safetensors", same)  # of equal weights: scored again
    assert f"epoch 3: ROC AUC {auc:.3f} of" in texts(list(film(run, save_scores))[1])
    monkeypatch.setattr(film_module, "SCORED", 6)
    *others, last = film(run, save_scores)
    assert all("AUC" not in texts(frame) for frame in others)
    assert f"ROC AUC {auc:.3f} of" in texts(last)


def test_a_last_checkpoint_that_is_reported_is_one_frame(scored):
    run = scored()
    storage.write_json(artifacts.evaluation(run.name), {"run": {"best_epoch": 3}})
    assert len(list(film(run, save_scores))) == 2


def test_without_a_test_split_there_are_pictures_of_defects_alone(scored):
    run = scored(test=False)
    assert set(dict(defect_pictures(run))) == LABELLED
    assert len(list(film(run, save_scores))) == 3


def test_some_strips_are_scored_as_in_the_whole(scored, tmp_path):
    run = scored()
    weights, data = artifacts.models(run.name) / "model.safetensors", artifacts.prepared(run.data)
    save_scores(run, weights, data, tmp_path / "some", most=6)
    whole, _ = storage.read_tensors(artifacts.score_maps(artifacts.scores(run.name), "defects"))
    some, _ = storage.read_tensors(artifacts.score_maps(tmp_path / "some", "defects"))
    ids = storage.read_tensors(artifacts.score_reconstructions(tmp_path / "some", "defects"))[0]["ids"]
    assert len(ids) == 4 * PER_STRIP, "two strips of each group"
    assert np.array_equal(some["residual"], whole["residual"][ids])
    assert np.array_equal(some["label"], whole["label"][ids])
    assert "pca_residual" not in some


def test_strips_are_chosen_whole_and_evenly():
    strip = np.repeat([7, 3, 5, 9], 3)
    one = np.zeros(12, int)
    assert whole_strips(strip, one, 6).tolist() == [3, 4, 5, 9, 10, 11]
    assert whole_strips(strip, one, 9).tolist() == [0, 1, 2, 3, 4, 5, 9, 10, 11]
    assert whole_strips(strip, one, 100).tolist() == list(range(12))
    groups = np.repeat([0, 0, 0, 1], 3)
    assert whole_strips(strip, groups, 1).tolist() == [0, 1, 2, 3, 4, 5, 9, 10, 11], "two strips of each group"
    assert whole_strips(strip, groups, 100).tolist() == list(range(12))


def test_rows_are_read_in_the_order_asked_for(scored):
    run = scored()
    folder, expected = artifacts.prepared(run.data), phase_arrays(3, True)["x"]
    assert np.array_equal(read_rows(folder, "defects", "x", [7, 0, 7]), expected[[7, 0, 7]])


def test_what_a_comparison_shows_is_of_the_best_run(scored):
    from comparisons import ill, result

    run = scored()
    found = with_threshold(result(run.name, "image"))
    for name, figure in defect_pictures(run):
        save_png(figure, artifacts.COMPARISON_DEFECTS / run.name / f"{name}.png")
    shown = shown_defects([found], "defects/")
    assert shown["defects/all_missed"].title == f"All missed defects, by strip: {run.name}"
    assert "Bars of ROC AUC and of recall for each kind of defect" in shown["defects/by_defect"].alt
    assert all(picture.path.exists() and picture.alt for picture in shown.values())
    broken = [result("other", "image"), ill(found, "not_learned")]
    assert not shown_defects(broken), "no pictures of a broken run as the best"
    tables = defect_curves([found, result("other", "image")])
    assert tables["roc"].startswith(f"run,fpr,tpr\n{run.name},")
    assert f"{run.name}, defects" in tables["histogram"]
    assert defect_curves([result("other", "image")])["roc"] == "run,fpr,tpr\n"


def test_units_are_those_of_the_calibration():
    assert score_label(Threshold(), "patch") == (
        "sum of calibrated scores of a patch, each in standard deviations of normals"
    )
    assert score_label(Threshold(scores=("residual",), calibration="quantile"), "cell").endswith("of a cell, nats")
    assert score_label(Threshold(combine="cells", calibration="none"), "cell").startswith("score of a cell, the unit")


def test_names_that_look_like_numbers_stay_names(scored):
    run = scored()
    table = artifacts.thresholds(run.name) / "defects.csv"
    table.write_text(table.read_text().replace("weft_crack", "007"))
    assert "007" in texts(dict(defect_pictures(run))["by_defect"])


def test_one_score_alone_has_one_curve(scored):
    run = scored()
    assert "combined: ROC AUC" in texts(dict(defect_pictures(run))["curves"])
    alone = run.model_copy(update={"threshold": Threshold(scores=("mahalanobis",), bootstrap=0)})
    threshold_run(alone.name, alone.data, alone.threshold)
    shown = texts(dict(defect_pictures(alone))["curves"])
    assert "combined: ROC AUC" not in shown
    assert shown.count("mahalanobis: ROC AUC") == 1
