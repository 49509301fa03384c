"""`quality`: numbers equal those of the evaluation, the verdict stands beside the baselines, and there is a picture."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import random_images, tiny_run, unit, write_grids, write_images
from PIL import Image
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio
from stored import stored

from vaelab import artifacts, outputs, storage
from vaelab.commands.judge import quality_report as report
from vaelab.commands.judge.quality import open_images, quality
from vaelab.commands.judge.target import choose, of_checkpoint, of_run
from vaelab.data.format.info import image_info
from vaelab.data.format.prepared import write
from vaelab.data.sources.image_files import fitted, read_image
from vaelab.errors import InputError
from vaelab.evaluation.evaluate import evaluate
from vaelab.metrics.nested import FLOORS, REFERENCE, flat
from vaelab.models.build import build
from vaelab.models.files import save_model
from vaelab.params.blocks import VERDICT

FACTS = {"epoch": 4, "position": 4.0, "step": 3, "metric": "psnr", "val": 0.1}
SIDE = 16
WEIGHTS = artifacts.models("tiny") / "model.safetensors"
DATA = artifacts.prepared("tiny")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VAELAB_ACCELERATOR", "cpu")


def write_model(info, evaluate=None, kind="image", **options):
    """A model whose batch statistics are not those of a new one, otherwise untrained."""
    run = tiny_run(kind=kind, model=options, evaluate=evaluate or {})
    model = build(run.model, info, seed=1)
    if kind == "image":
        model(unit(random_images(8, info.shape[0], info.shape[-1])), group=torch.zeros(8, dtype=torch.int64))
    save_model(WEIGHTS, model.state_dict(), run, info, FACTS)
    return model.eval()


def write_pictures(root, names, size=(24, 20)):
    for number, name in enumerate(names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)


def found(data=None, phase=None, samples=8, seed=0):
    target = of_run("tiny")
    return quality(target, open_images(target, data, phase), samples, seed)


@torch.no_grad()
def reconstructed(model, x, group=None):
    return model(unit(x), group=group).reconstruction.numpy().astype(np.float64)


@pytest.mark.parametrize(("channels", "size", "text"), [(1, 16, True), (3, 32, False)])
def test_the_metrics_of_a_whole_split_are_those_of_the_evaluation(channels, size, text):
    write_model(write_images(DATA, 24, 10, 6, channels=channels, size=size, text=text))
    expected = evaluate(tiny_run(kind="image", evaluate={"ocr": False}), WEIGHTS, DATA).metrics
    for phase in ("val", "test"):
        result, evaluated = found(phase=phase), flat(expected[phase])
        nested = {FLOORS: result.baselines, REFERENCE: {"blur": result.baselines["blur"]}}
        values = flat({**result.metrics, **nested})
        common = {name for name in values if name in evaluated}
        assert {"mse", "mae", "psnr", "ssim", "rate", "active_units", "ks_mean", "extreme_share"} <= common
        assert {
            "reference_blur_psnr",
            "floor_mean_image_psnr",
            "floor_pca_psnr",
            "floor_pca_mse",
            "psnr_group_gap",
            "aggregate_std",
        } <= common
        assert ({"text_psnr", "floor_white_page_mse"} <= common) == text
        for name in common:
            assert values[name] == pytest.approx(evaluated[name], rel=1e-4, abs=1e-6), name


def test_the_numbers_of_each_image_against_scikit_image():
    model = write_model(write_images(DATA, 8, 10, 0, channels=3))
    result = found(samples=4)
    rows = [int(name.removeprefix("val:")) for name in result.shown.names]
    assert rows == sorted(set(rows))
    x = torch.from_numpy(stored(DATA, "val")["x"])[rows]
    original, y = unit(x).numpy().astype(np.float64), reconstructed(model, x)
    np.testing.assert_array_equal(result.shown.original, x)
    np.testing.assert_allclose(result.shown.reconstruction.numpy() / 255, y, atol=0.5 / 255 + 1e-6)
    images = result.shown.images
    for row in range(4):
        assert images["mse"][row] == pytest.approx(mean_squared_error(original[row], y[row]), rel=1e-4)
        expected = peak_signal_noise_ratio(original[row], y[row], data_range=1)
        assert images["psnr"][row] == pytest.approx(expected, rel=1e-4)
        assert images["mae"][row] == pytest.approx(np.abs(original[row] - y[row]).mean(), rel=1e-4)
    of_all = unit(torch.from_numpy(stored(DATA, "val")["x"]))
    mse = ((of_all.numpy() - reconstructed(model, torch.from_numpy(stored(DATA, "val")["x"]))) ** 2).mean()
    assert result.metrics["mse"] == pytest.approx(mse, rel=1e-4)


def test_the_seed_chooses_the_images():
    write_model(write_images(DATA, 8, 40, 0))
    first, again, other = (found(samples=5, seed=seed).shown.names for seed in (0, 0, 1))
    assert first == again != other


def test_more_samples_than_images():
    write_model(write_images(DATA, 8, 3, 0))
    assert found(samples=8).shown.names == ["val:0", "val:1", "val:2"]


def test_a_folder_without_training_data():
    model = write_model(image_info(3, SIDE, ("all",)))
    names = [f"{number}.png" for number in range(6)]
    write_pictures(Path("mine"), names)
    Path("mine/broken.png").write_bytes(b"x")
    result = found("mine", samples=6)
    assert sorted(result.shown.names) == names
    assert [line.split(":")[0] for line in result.all.refused] == ["broken.png"]
    assert "mean_image" not in result.baselines
    x = [fitted(read_image(Path("mine") / name, 10**6, "rgb"), SIDE, "resize")[0] for name in result.shown.names]
    y = reconstructed(model, torch.from_numpy(np.concatenate(x)))
    expected = ((np.concatenate(x) / 255 - y) ** 2).mean((1, 2, 3))
    np.testing.assert_allclose(result.shown.images["mse"], expected, rtol=1e-4)


def test_unreadable_files_do_not_lessen_the_samples():
    write_model(image_info(3, SIDE, ("all",)))
    write_pictures(Path("mine"), [f"{number}.png" for number in range(4)])
    for number in range(20):
        Path(f"mine/broken{number}.png").write_bytes(b"x")
    result = found("mine", samples=4)
    assert sorted(result.shown.names) == ["0.png", "1.png", "2.png", "3.png"] == result.all.names
    assert len(result.all.refused) == 20


def test_a_conditional_model_is_told_the_group_of_the_data():
    model = write_model(write_images(DATA, 8, 8, 0), conditional=True)
    result = found(samples=8)
    split = stored(DATA, "val")
    x, group = torch.from_numpy(split["x"]), torch.from_numpy(split["group"]).long()
    expected = ((unit(x).numpy() - reconstructed(model, x, group)) ** 2).mean((1, 2, 3))
    np.testing.assert_allclose(result.shown.images["mse"], expected, rtol=1e-4)
    wrong = ((unit(x).numpy() - reconstructed(model, x, 0 * group)) ** 2).mean((1, 2, 3))
    assert not np.allclose(wrong, expected, rtol=1e-4)


def test_what_trivial_methods_reach_decides_what_a_number_is_worth():
    write_model(write_images(DATA, 8, 8, 0))
    result, target = found(), of_run("tiny")
    lines = report.verdict_lines(target, result)
    judged = {criterion.metric: criterion for criterion in report.criteria(target, result)}
    assert set(judged) == set(VERDICT) - {"ocr_cer"}  # no text
    assert judged["psnr"].baseline == "pca"
    assert judged["psnr"].baseline_value == result.baselines["pca"]["psnr"] < result.baselines["blur"]["psnr"]
    assert not judged["psnr"].better_than_baseline
    assert "8 images of tiny, val" in lines[0]
    row = next(line for line in lines if line.startswith("PSNR, dB "))
    assert row.split() == ["PSNR,", "dB", f"{judged['psnr'].value:.4g}", judged["psnr"].rating, "20", "15", "PCA",
                           f"{judged['psnr'].baseline_value:.4g}", "no"]  # fmt: skip
    said = report.remarks(report.criteria(target, result))
    assert any("trivial: PCA reaches" in line for line in said)
    assert set(said) <= set(lines)


def test_a_group_alone_has_no_gap_to_another():
    write_model(image_info(3, SIDE, ("all",)))
    write_pictures(Path("mine"), ["cats/1.png", "cats/2.png"])
    assert "psnr_group_gap" not in {c.metric for c in report.criteria(of_run("tiny"), found("mine"))}


def test_a_bypass_is_told():
    write_model(write_images(DATA, 8, 8, 0), skips=True)
    assert report.verdict_lines(of_run("tiny"), found())[-1].startswith("model.skips: the decoder sees more")


def test_the_table_ends_with_the_mean_and_the_baselines():
    write_model(write_images(DATA, 8, 8, 0))
    result = found(samples=3)
    lines = report.image_table(result).splitlines()
    names = [line[:20].strip() for line in lines[2:]]
    baselines = [f"baseline: {title}" for title in ("mean image", "PCA", "white page")]
    baselines.append("reference: blurred o")  # cut to 20 letters
    assert [name.split("  ")[0] for name in names] == [*result.shown.names, "mean of 8", *baselines]
    assert lines[2].split()[1:] == [
        f"{result.shown.images[name][0]:.{digits}f}"
        for name, digits in zip(report.METRIC_TITLES, (5, 5, 2, 4), strict=True)
    ]


def test_the_report_holds_every_image_and_the_summary():
    write_model(write_images(DATA, 8, 12, 0))
    result, target = found(samples=2), of_run("tiny")
    table, summary = report.write_report(target, result, Path("kept"))
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["image"] for row in rows] == [f"val:{number}" for number in range(12)]
    assert [row["group"] for row in rows[:2]] == ["left", "right"]
    values = json.loads(summary.read_text())
    assert np.mean([float(row["mse"]) for row in rows]) == pytest.approx(values["metrics"]["mse"], rel=1e-5)
    assert np.mean([float(row["rate"]) for row in rows]) == pytest.approx(values["metrics"]["rate"], rel=1e-4)
    assert (values["images"], values["verdict"]) == (12, report.overall(report.criteria(target, result)))
    assert values["checkpoint"] == FACTS
    assert {criterion["metric"] for criterion in values["criteria"]} == set(VERDICT) - {"ocr_cer"}


def test_latents_in_words():
    write_model(write_images(DATA, 8, 12, 0))
    result = found()
    lines = report.latent_lines(of_run("tiny"), result)
    assert lines[0].startswith("latents: 4 dimensions (12 images of tiny, val; 12 draws")
    assert (
        next(line for line in lines if line.startswith("active units")).split()[-1]
        == f"{result.metrics['active_units']}"
    )
    assert len(lines) == 1 + len(report.LATENTS)


def drawn(samples, with_latents):
    path, target = Path("pictures/one.png"), of_run("tiny")
    report.draw(target, found(samples=samples), ["verdict: $x$ $\\frac"], with_latents, path)
    with Image.open(path) as image:
        assert image.format == "PNG"
        assert len(image.convert("RGB").getcolors(2**24)) > 20
        return image.size


@pytest.mark.parametrize(("channels", "size"), [(1, 16), (3, 48)])
def test_the_picture_shows_images_of_any_size(channels, size):
    write_model(write_images(DATA, 8, 12, 0, channels=channels, size=size))
    assert drawn(1, False)[1] < 6 * 144 < drawn(9, False)[1]  # two rows of three tiles each


def test_the_picture_shows_the_latents_on_request():
    write_model(write_images(DATA, 8, 12, 0))
    one, other = drawn(1, False), drawn(1, True)
    assert one[0] == other[0]
    assert one[1] + 200 < other[1]


def test_names_of_files_are_no_formulas_and_are_cut_to_the_tiles():
    write_model(image_info(3, SIDE, ("all",)))
    write_pictures(Path("mine"), ["$\\frac$.png", "a_very_long_name_that_does_not_fit_above_a_tile_at_all.png"])
    report.draw(of_run("tiny"), found("mine"), [], False, Path("picture.png"))
    assert Path("picture.png").is_file()


def test_nan_of_the_model_is_an_error():
    write_model(write_images(DATA, 8, 4, 0))
    target = of_run("tiny")
    for parameter in target.file.model.decoder.parameters():
        parameter.data.fill_(torch.nan)
    with pytest.raises(InputError, match="tiny: the model yields NaN or infinity, first for val:0"):
        quality(target, open_images(target, None, None), 8, 0)


def test_limits_of_the_resolved_run_count():
    write_model(write_images(DATA, 8, 8, 0), evaluate={"verdict": {"mse": {"good": 0.5}}})
    assert list(of_run(str(WEIGHTS)).options.verdict) == list(of_run("tiny").options.verdict)
    outputs.write_run(tiny_run(kind="image", evaluate={"verdict": {"mse": {"good": 1e-9, "poor": 1e-8}}}))
    assert of_run(str(WEIGHTS)).options.verdict["mse"].good == 0.5
    assert report.criteria(of_run("tiny"), found())[0].rating == "poor"


def write_config(**values):
    run = tiny_run(**{"name": "other", "kind": "image", **values})
    storage.write_yaml(Path("config.yaml"), run.model_dump())


def test_a_config_supplies_limits_and_data_to_a_checkpoint():
    write_model(write_images(DATA, 8, 8, 0))
    write_images(artifacts.prepared("more"), 8, 5, 0, seed=3)
    write_config(data="more", evaluate={"verdict": {"ssim": {"good": 0.99}}})
    target = of_checkpoint(Path("config.yaml"), WEIGHTS)
    result = quality(target, open_images(target, None, None), 8, 0)
    assert (result.title, len(result.shown.names)) == ("more, val", 5)
    assert [(criterion.metric, criterion.good) for criterion in report.criteria(target, result)] == [("ssim", 0.99)]
    assert target.label == "other (model.safetensors)"


def test_a_config_of_another_model_is_refused():
    write_model(write_images(DATA, 8, 8, 0))
    write_config(model={"width": 8})
    with pytest.raises(InputError, match=r"config.yaml does not describe .*\n  model.width: 8 and 4$"):
        of_checkpoint(Path("config.yaml"), WEIGHTS)
    write_config(kind="grid")
    with pytest.raises(InputError, match="kind: grid and image"):
        of_checkpoint(Path("config.yaml"), WEIGHTS)


@pytest.mark.parametrize("given", [(None, None, None), ("tiny", Path("a.yaml"), None), (None, Path("a.yaml"), None)])
def test_one_model_has_to_be_named(given):
    with pytest.raises(InputError, match="which model"):
        choose(*given)


def test_quality_is_for_images():
    write_model(write_grids(DATA, 8, 4, 4), kind="grid")
    with pytest.raises(InputError, match="tiny: `vaelab quality` is for images; this is a model of grids"):
        found()


def test_data_that_are_not_there():
    write_model(image_info(1, SIDE, ("all",)))
    with pytest.raises(InputError, match=r"its data set tiny is not prepared; give --data: .*prepared data sets: none"):
        found()
    with pytest.raises(InputError, match="nowhere: no such file or directory"):
        found("nowhere")
    Path("empty").mkdir()
    with pytest.raises(InputError, match="empty: no image"):
        found("empty")
    write_pictures(Path("mine"), ["1.png"])
    with pytest.raises(InputError, match="--phase test: mine has no splits"):
        found("mine", "test")
    write_images(DATA, 4, 4, 0)
    with pytest.raises(InputError, match="its split test is empty; choose another --phase"):
        found(phase="test")
    with pytest.raises(InputError, match="no phase 'tests'; did you mean 'test'"):
        found(phase="tests")


def test_training_data_of_another_size_are_no_baseline():
    write_model(image_info(3, SIDE, ("all",)))
    write_images(DATA, 4, 4, 0, channels=1)
    write_pictures(Path("mine"), ["1.png"])
    assert list(found("mine").baselines) == ["blur", "white_page"]


def test_a_run_that_is_not_trained():
    write_model(image_info(3, SIDE, ("all",)))
    with pytest.raises(InputError, match=r"tinny: no trained run .*did you mean 'tiny'"):
        of_run("tinny")
    Path("some.safetensors").write_bytes(b"damaged")
    with pytest.raises(InputError, match=r"some.safetensors: damaged"):
        of_run("some.safetensors")


def test_all_images_are_measured_whatever_is_shown():
    model = write_model(write_images(DATA, 24, 40, 0))
    x = torch.from_numpy(stored(DATA, "val")["x"])
    mse = ((unit(x).numpy() - reconstructed(model, x)) ** 2).mean((1, 2, 3))
    for samples in (1, 8):
        result = found(samples=samples)
        assert (len(result.shown.names), len(result.all.names)) == (samples, 40)
        np.testing.assert_allclose(result.all.images["mse"], mse, rtol=1e-4)
        assert result.metrics["mse"] == pytest.approx(mse.mean(), rel=1e-4)
        assert result.counted == "40 images of tiny, val"
        assert report.shown_of(result) == f"{samples} of 40 images"


@pytest.mark.parametrize("latent", ["vector", "map"])
def test_pca_is_among_what_a_number_has_to_beat(latent):
    write_model(write_images(DATA, 40, 12, 0), latent=latent, latent_channels=2)
    expected = evaluate(tiny_run(kind="image"), WEIGHTS, DATA).metrics["val"][FLOORS]
    result = found()
    assert result.missing == []
    assert {"mean_image", "pca", *(["patch_pca"] if latent == "map" else [])} <= set(result.baselines)
    for name in expected:
        assert result.baselines[name]["psnr"] == pytest.approx(expected[name]["psnr"], rel=1e-4), name
    judged = {criterion.metric: criterion for criterion in report.criteria(of_run("tiny"), result)}
    best = max(values["psnr"] for name, values in result.baselines.items() if name != "blur")
    assert judged["psnr"].baseline_value == best > result.metrics["psnr"]
    assert not judged["psnr"].better_than_baseline


def test_baselines_without_the_training_data_are_those_of_the_evaluation():
    write_model(write_images(DATA, 24, 12, 0))
    expected = found()
    evaluated = evaluate(tiny_run(kind="image"), WEIGHTS, DATA).metrics
    storage.write_json(artifacts.evaluation("tiny"), evaluated)
    for path in DATA.glob("train-*"):
        path.unlink()
    result = found()
    assert result.missing == []
    assert result.baselines["pca"]["psnr"] == pytest.approx(expected.baselines["pca"]["psnr"], rel=1e-4)
    artifacts.evaluation("tiny").unlink()
    result = found()
    assert set(result.baselines) == {"blur", "white_page"}
    (said,) = (line for line in report.verdict_lines(of_run("tiny"), result) if line.startswith("Not compared with"))
    assert said == "Not compared with mean image, PCA: the training data of tiny (data set tiny) are not there"


def test_images_of_prepared_data_have_the_names_of_their_files():
    info = image_info(1, SIDE, ("all",))
    x = random_images(6, 1).numpy()
    arrays = {"x": x, "group": np.zeros(6, np.uint8), "file": np.array([3, 1, 0, 2, 4, 5], np.int32)}
    names = [f"cats/{number}.png" for number in range(6)]
    write(DATA, info, {"train": arrays, "val": arrays}, {"file_names": names})
    write_model(info)
    assert found().all.names == [f"val:{row} cats/{file}.png" for row, file in enumerate((3, 1, 0, 2, 4, 5))]
