"""Each page of each kind of data: it says its conclusion, and nothing goes wrong."""

import io

import numpy as np
import pytest
from dashboards import DATA, RUNS, checked, opened, said, without
from helpers import tiny_run
from image_folders import encoded
from PIL import Image
from streamlit.testing.v1 import AppTest

from vaelab import artifacts, storage
from vaelab.commands.judge import baselines
from vaelab.dashboard.command import APP
from vaelab.dashboard.frame import SHOWN

CONCLUSIONS = {  # what a page says of a run that was measured
    "overview": "Recommended:", "run": "Training ended:", "samples": "(1 is best)", "batch": "mean", "latents": "nats",
    "defects": "", "own_images": "",
}  # fmt: skip
FEW = [name for name in RUNS if name != "puzzles_b"]


@pytest.mark.parametrize("run", FEW)
@pytest.mark.parametrize("name", SHOWN)
def test_a_page_says_its_conclusion(project, name, run):
    page = opened(name, run)
    assert page.title or page.header
    assert CONCLUSIONS[name] in said(page)


def test_the_frame_opens_with_the_overview(project):
    page = checked(AppTest.from_file(APP, default_timeout=60).run())
    assert page.title[0].value == "Overview"
    assert page.selectbox(key="run").options == sorted(DATA)


@pytest.mark.parametrize("run", FEW)
def test_each_split_order_and_size_of_samples(project, run):
    page = opened("samples", run)
    for split in page.segmented_control(key=f"phase_{run}").options:
        page = checked(page.segmented_control(key=f"phase_{run}").set_value(split).run())
        assert f"of {split}" in page.subheader[0].value
    for order in ("best", "as stored"):
        page = checked(page.segmented_control(key="order").set_value(order).run())


def test_a_filter_on_a_late_page_begins_with_the_first_page(project):
    page = opened("samples", "rows")
    number = next(one for one in page.number_input if one.label.startswith("Page"))
    page = checked(number.set_value(2).run())
    page = checked(page.multiselect(key="groups").set_value(["red"]).run())
    assert next(one for one in page.number_input if one.label.startswith("Page")).value == 1
    assert "8 of 24 examples of test" in said(page)


def test_a_button_below_a_tile_chooses_the_sample(project):
    page = opened("samples", "pictures")
    buttons = [one for one in page.button if one.key.startswith("browse_")]
    number = buttons[3].label.split(" ")[0]
    page = checked(buttons[3].click().run())
    assert page.subheader[0].value.startswith(f"Image {number} of test")


def test_the_same_grid_is_shown_in_other_runs_and_over_epochs(project):
    page = opened("samples", "puzzles")
    assert "The same in other runs" in said(page)
    assert "puzzles_b" in said(page)
    slider = page.select_slider(key="epoch_puzzles")
    first = checked(slider.set_value(slider.options[0]).run())
    assert f"Epoch {slider.options[0].split(' ')[0]}:" in said(first)
    assert slider.value == slider.options[0]
    by_weights = page.select_slider(key="weights_puzzles")
    assert by_weights.options == ["1", "2"]
    assert "Epoch 2: accuracy" in said(checked(by_weights.set_value(2).run()))


def test_a_run_that_cannot_be_sampled_says_so(project, tmp_path, monkeypatch):
    monkeypatch.chdir(without(project, tmp_path))
    path = artifacts.evaluation("pictures")
    found = storage.read_json(path)
    found["test"] |= {"sample_precision": 0.0, "real_precision": 0.8, "sample_recall": 0.7, "real_recall": 0.8}
    storage.write_json(path, found)
    assert "Run pictures cannot be sampled: 0% of its samples look like data" in said(opened("latents", "pictures"))
    found["test"] |= {"sample_precision": 0.7}
    storage.write_json(path, found)
    assert "cannot be sampled" not in said(opened("latents", "pictures"))
    found["test"] |= {"sample_recall": 0.02}
    storage.write_json(path, found)
    assert "its samples cover 2% of the data" in said(opened("latents", "pictures"))


def test_latents_move_and_priors_are_drawn(project):
    page = opened("latents", "rows")
    slider = next(one for one in page.slider if one.key.startswith("move_"))
    assert "moved: dimension" in said(checked(slider.set_value(3.5).run()))
    page = checked(page.segmented_control(key="prior_rows").set_value("N(0, I), decoded now").run())
    checked(page.number_input(key="draw_rows").set_value(2).run())


@pytest.mark.parametrize("by", ["group", "split"])
def test_distributions_by_group_and_split(project, by):
    page = checked(opened("batch", "rows").segmented_control(key="by").set_value(by).run())
    assert list(page.table[0].value.columns)[:2] == ["examples", "mean"]


def test_a_sweep_is_filtered_by_options_and_health(project, tmp_path, monkeypatch):
    monkeypatch.chdir(without(project, tmp_path))
    for number in range(5):
        name, options = f"sweep_{number}", {"train": {"learning_rate": 10.0 ** -(number + 1)}}
        run = tiny_run(name, "rows", "tags", **options)
        storage.write_yaml(artifacts.resolved(name), run.model_dump(mode="json"))
        storage.write_json(artifacts.evaluation(name), storage.read_json(artifacts.evaluation("rows")))
    page = opened("overview")
    table = next(one.value for one in page.dataframe if "sweep_0" in set(one.value["run"]))
    assert len(table) == 6
    assert set(table["train.learning_rate"]) >= {0.1, 0.01}
    page = checked(page.text_input(key="contains_rows").set_value("learning_rate=0.1").run())
    table = next(one.value for one in page.dataframe if "sweep_0" in set(one.value["run"]))
    assert table["run"].tolist() == ["sweep_0"]


def test_own_images_are_judged_or_refused_by_name(project):
    page = opened("own_images", "pictures")
    given = page.file_uploader[0]
    given.upload("mine `1`.png", encoded(np.full((40, 60), 90, np.uint8), "PNG"), "image/png")
    given.upload("broken.png", b"no image", "image/png")
    page = checked(page.run())
    assert page.subheader[0].value.startswith("Verdict: ")
    assert "1 image of your files" in page.subheader[0].value
    assert "Left out: broken.png: not an image of a known type" in page.warning[0].value
    assert "`mine '1'.png`: MSE" in said(page)


def test_pages_of_an_upload_are_counted_before_any_is_decoded(project):
    tiny, buffer = Image.new("L", (8, 8)), io.BytesIO()
    tiny.save(buffer, "TIFF", save_all=True, append_images=[tiny] * 200)
    page = opened("own_images", "pictures")
    page.file_uploader[0].upload("pages.tif", buffer.getvalue(), "image/tiff")
    assert "expected at most 200 pages in all files" in page.run().error[0].value


def test_baselines_are_fitted_once_and_for_images_that_can_be_read(project, monkeypatch):
    fitted, real = [], baselines.baselines_of
    monkeypatch.setattr(baselines, "baselines_of", lambda *given: fitted.append(1) or real(*given))
    page = opened("own_images", "pictures")
    page.file_uploader[0].upload("broken.png", b"no image", "image/png")
    page = page.run()
    assert "nothing in it can be used" in page.error[0].value
    assert not fitted
    for shade in (90, 200):
        image = encoded(np.full((40, 60), shade, np.uint8), "PNG")
        page.file_uploader[0].upload(f"{shade}.png", image, "image/png")
        page = checked(page.run())
    assert len(fitted) == 1
