"""`vaelab compare` before anything runs: words to runs, runs to overrides, what is wrong said at once."""

import subprocess
from pathlib import Path

import pytest
import yaml
from helpers import PARAMS, steady
from hypothesis import given
from hypothesis import strategies as st

from vaelab.commands.compare import actions as comparing
from vaelab.commands.compare import configurations
from vaelab.commands.compare.actions import Words, compose, entries
from vaelab.commands.compare.command import split
from vaelab.commands.compare.configurations import entry, options, parsed
from vaelab.commands.compare.experiments import Experiment, command_line
from vaelab.commands.compare.overrides import replacing, resolved_overrides, written
from vaelab.commands.compare.selection import Selection, parsed_seeds, repeated, select
from vaelab.errors import InputError
from vaelab.params.reading import read_yaml
from vaelab.params.resolve import resolve

RAW = read_yaml(PARAMS)


USED = ("all", "standard", "beta", "loss_options", "sharpness")  # suites


def shorter():
    """The repository's parameters with the suites and presets that are used here: commands read them many times."""
    suites = {name: RAW["suites"][name] for name in USED}
    entries = [*RAW["runs"].items(), *(entry for suite in suites.values() for entry in suite.items())]
    named = {entry.get("preset", name) for name, entry in entries} | {"page"}
    presets = {name: preset for name, preset in RAW["presets"].items() if name in named}
    return RAW | {"suites": suites, "presets": presets}


@pytest.fixture(scope="module")
def text():
    return yaml.safe_dump(shorter(), sort_keys=False)


@pytest.fixture
def project(text, tmp_path, monkeypatch):
    """A folder with such a params.yaml."""
    (tmp_path / "params.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def ready(project, monkeypatch):
    """The same, taken for a DVC project in git."""
    monkeypatch.setattr(comparing, "check_project", lambda folder, name: None)
    return project


@pytest.mark.parametrize(
    ("key", "paths"),
    [
        ("lr", ["train.learning_rate"]),
        ("beta", ["loss.beta"]),
        ("loss.beta", ["loss.beta"]),
        ("epochs", ["train.epochs"]),
        ("batch_size", ["train.batch_size"]),
        ("evaluate.batch_size", ["evaluate.batch_size"]),
        ("seed", ["train.seed"]),
        ("latent_dim", ["model.latent_dim"]),
        ("bce", ["loss.terms.bce"]),
        ("terms.bce", ["loss.terms.bce"]),
        ("beta.schedule", ["loss.beta.schedule"]),
        ("stop_when.psnr.max", ["train.stop_when.psnr.max"]),
        ("model", ["model"]),
        ("gama", []),
        ("lr.", []),
        ("", []),
    ],
)
def test_which_option_a_name_stands_for(key, paths):
    assert options(key) == paths


def test_a_name_of_two_options_is_asked_for(monkeypatch):
    monkeypatch.setattr(configurations, "_paths", lambda: ("model.width", "loss.width", "evaluate.width"))
    made, problems = entry({"width": 3}, "a")
    assert made == {}
    assert problems[0].message == "width: may be model.width or loss.width: write one of these"


def test_words_become_a_run():
    words = [
        "data=tags",
        "preset=vae_small",
        "lr=5e-4",
        "hidden=[64, 32]",
        "terms={bce: 1e-1}",
        "capacity=",
        "tied=true",
    ]
    changes, problems = parsed(words, "a")
    made, unknown = entry(changes, "a")
    assert problems + unknown == []
    assert made == {
        "data": "tags", "preset": "vae_small", "train": {"learning_rate": 5e-4},
        "model": {"hidden": [64, 32], "tied": True}, "loss": {"terms": {"bce": 0.1}, "capacity": None},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gama=1"], "gama: unknown option; did you mean 'gamma'?"),
        (["learning_rat=1"], "did you mean 'learning_rate'?"),
        (["beta"], "got 'beta', expected key=value"),
        (["=3"], "got '=3', expected key=value"),
        (["beta=1", "beta=2"], "beta stands twice"),
        (["lr=1", "train.learning_rate=2"], "train.learning_rate is set twice"),
        (["beta=1", "beta.schedule=linear"], "loss.beta.schedule is set twice"),
        (["beta=[1"], "beta=[1: the value is not valid YAML"),
        (["hidden=[0]"], "--config a.model.hidden.0: got 0"),
        (["beta=-1"], "--config a.loss.beta: got -1, expected greater than or equal to 0"),
    ],
)
def test_what_is_wrong_with_words(words, message):
    with pytest.raises(InputError) as raised:
        entries(Words([("a", words)]))
    assert "1 problem" in str(raised.value)
    assert message in str(raised.value)


def test_all_that_is_wrong_is_said_at_once():
    words = Words([("a", ["gama=1", "beta=-1"]), ("b", ["epochs=0"]), ("b", [])], ["data=tags"])
    with pytest.raises(InputError) as raised:
        entries(words)
    assert "5 problems" in str(raised.value)
    for part in ("--config a: gama", "--config a.loss.beta", "--config b.train.epochs", "--config b: stands twice"):
        assert part in str(raised.value)
    assert "all runs: data and preset are of a configuration" in str(raised.value)


@pytest.mark.parametrize(
    ("words", "found", "rest"),
    [
        ("--config a x=1 y=2 --config b", [("a", ["x=1", "y=2"]), ("b", [])], ""),
        ("--preset p --config a x=-1 --seeds 0,1 z=3", [("a", ["x=-1"])], "--preset p --seeds 0,1 z=3"),
        ("--config=a x=1 -S k=v", [("a", ["x=1"])], "-S k=v"),
        ("epochs=3 --config a --queue", [("a", [])], "epochs=3 --queue"),
        ("--config", [], "--config"),
        ("--config --queue", [], "--config --queue"),
    ],
)
def test_configurations_among_words(words, found, rest):
    assert split(words.split()) == (found, rest.split())


def test_a_suite_a_preset_or_the_active_runs():
    assert select(Selection("all"), RAW) == RAW["suites"]["all"]
    assert select(Selection("vae_small"), RAW) == {"vae_small": {"data": "tags"}}
    assert select(Selection(), RAW) == RAW["runs"]
    both = select(Selection("beta", {"mine": {"data": "tags"}}), RAW)
    assert list(both) == [*RAW["suites"]["beta"], "mine"]


def test_the_data_set_is_the_only_one_that_fits():
    presets = [name for suite in ("all", "sweep_beta", "sweep_lr") for name in RAW["suites"][suite]]
    runs = {f"a_{name}": {"preset": name} for name in presets if name in RAW["presets"]}
    assert len(runs) == 6
    made = select(Selection(None, {**runs, "vae_large": {}, "b": {"model": {"hidden": [256]}}}), RAW)
    assert {entry["data"] for entry in made.values()} == {"tags"}
    made = select(Selection("standard", {}, data="mine"), RAW)
    assert {entry["data"] for entry in made.values()} == {"mine"}


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (Selection("vae_smal"), "preset vae_smal: unknown suite or preset; did you mean 'vae_small'?"),
        (Selection(None, {"a": {"loss": {"beta": 4}}}), "configuration a: which data set? expected data=NAME"),
        (
            Selection(None, {"a": {"preset": "vae_smal"}}),
            "configuration a.preset: unknown preset 'vae_smal'; did you mean",
        ),
        (Selection(None, {"a": {"loss": {"beta": -4}}}), "configuration a.loss.beta: got -4"),
        (Selection("standard", {"vae_small": {}}), "configuration vae_small: standard has a run of this name already"),
    ],
)
def test_what_is_wrong_with_a_selection(asked, message):
    with pytest.raises(InputError) as raised:
        select(asked, RAW)
    assert message in str(raised.value)


def test_seeds_repeat_a_run_under_its_preset():
    runs = {"vae_small": {"data": "tags", "train": {"epochs": 3}}, "mine": {"data": "tags", "preset": "vae_large"}}
    made = repeated(runs, [0, 7], RAW)
    assert made == {
        "vae_small_seed0": {"data": "tags", "preset": "vae_small", "train": {"epochs": 3, "seed": 0}},
        "vae_small_seed7": {"data": "tags", "preset": "vae_small", "train": {"epochs": 3, "seed": 7}},
        "mine_seed0": {"data": "tags", "preset": "vae_large", "train": {"seed": 0}},
        "mine_seed7": {"data": "tags", "preset": "vae_large", "train": {"seed": 7}},
    }
    assert repeated(runs, [], RAW) == runs
    assert parsed_seeds("0, 1,7") == [0, 1, 7]


@pytest.mark.parametrize("text", ["", "a", "0,,1", "1,1", "-1", "1.5"])
def test_seeds_that_are_none(text):
    with pytest.raises(InputError, match="--seeds"):
        parsed_seeds(text)


def test_more_runs_than_an_experiment_can_have_are_refused():
    assert len(select(Selection("vae_small", seeds=range(200)), RAW)) == 200
    with pytest.raises(InputError, match="201 runs at once; expected at most 200"):
        select(Selection("vae_small", seeds=range(201)), RAW)


NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True).filter(lambda name: name not in ("nan", "inf", "null"))
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], include_characters=" \"'\\,:{}[]=~#")
).filter(lambda text: "${" not in text)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))


@steady
@given(VALUES)
def test_hydra_reads_what_is_written(value):
    from hydra.core.override_parser.overrides_parser import OverridesParser

    override = OverridesParser.create().parse_overrides([f"+key={written(value)}"])[0]
    assert override.value() == value


@pytest.mark.parametrize("value", ["${suites.all}", "two\nlines", {"a b": 1}, [{"": 1}]])
def test_what_overrides_cannot_hold_is_refused(value):
    with pytest.raises(InputError, match=r"params\.yaml"):
        written(value)


def test_the_overrides_make_exactly_the_runs_that_were_asked_for(project):
    runs = select(Selection("all", {"mine": {"data": "tags", "train": {"learning_rate": 1e-05}}}, seeds=[0, 1]), RAW)
    found = resolved_overrides(replacing(runs))[0]
    (project / "params.yaml").write_text(yaml.safe_dump(shorter() | {"runs": runs}, sort_keys=False))
    assert found == resolve(project / "params.yaml")
    assert list(found.runs) == list(runs)


def test_swept_values_are_all_checked(project):
    overrides = ["runs=${suites.standard}", "+suites.standard.vae_small.train.epochs=1,2"]
    found = resolved_overrides(overrides, sweep=True)
    assert [resolved.runs["vae_small"].train.epochs for resolved in found] == [1, 2]
    with pytest.raises(InputError, match="2 choices of values are 2 experiments: add --queue"):
        resolved_overrides(overrides)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("runs=${suites.nope}", "suites.nope"),
        ("loss.gama=1", "loss.gama"),
        ("a b", "-S: "),
        ("loss.beta=-1", "params.yaml with these runs has"),
        ("+runs.mine={data: nope}", "runs.mine.data: unknown data set 'nope'"),
    ],
)
def test_overrides_that_are_wrong_are_known_before_anything_runs(project, override, message):
    before = (project / "params.yaml").read_bytes()
    with pytest.raises(InputError) as raised:
        resolved_overrides([override])
    assert message in str(raised.value)
    assert (project / "params.yaml").read_bytes() == before


def test_a_suite_as_it_stands_is_named_and_anything_else_written_out(ready):
    assert compose(Selection("beta"), {}, []).overrides == ("runs=${suites.beta}",)
    changed = compose(Selection("beta"), {"train": {"epochs": 2}}, ["train.ema=0.9"], "short", queue=True)
    assert changed.overrides[0] == "~runs"
    assert changed.overrides[1].count("train: {epochs: 2}") == 3
    assert changed.overrides[2] == "train.ema=0.9"
    assert changed.arguments[:6] == ["dvc", "exp", "run", "--queue", "-n", "short"]


def test_the_printed_command_is_one_that_a_shell_takes():
    line = command_line(Experiment(("runs=${suites.all}", "x='a b'"), "name"))
    assert line == """dvc exp run -k -n name -S 'runs=${suites.all}' -S 'x='"'"'a b'"'"''"""


@pytest.mark.parametrize("name", ["B", "y", "a-b", "9a", "x" * 81])
def test_names_that_params_cannot_have(name):
    with pytest.raises(InputError, match=f"has 1 problem:\n  --config {name}: "):
        entries(Words([(name, ["data=tags"])]))


def test_a_name_that_seeds_make_too_long(ready):
    with pytest.raises(InputError, match=r"runs\.x+_seed0: .*80 characters"):
        compose(Selection(None, {"x" * 78: {"data": "tags"}}, seeds=[0]), {}, [])


def test_without_dvc_or_git_there_is_one_message(project):
    with pytest.raises(InputError, match="no DVC project here"):
        compose(Selection("beta"), {}, [])
    Path(".dvc").mkdir()
    with pytest.raises(InputError, match="commit first"):
        compose(Selection("beta"), {}, [])


def test_a_run_without_result_comes_with_the_command_that_trains_it(project):
    text = comparing._missing(["option_a", "before", "vae_small", "page", "nope"], ["other"])
    for part in (
        "no result of option_a, before, vae_small, page, nope; known: other",
        "to train option_a: dvc repro evaluate@option_a",
        "to train before: dvc exp run -S '+runs.before=${suites.sharpness.before}'",
        "to train page: vaelab compare --config page",
    ):
        assert part in text
    assert "to train nope" not in text


def test_an_option_that_params_do_not_list_is_set_with_two_plus_signs(ready):
    listed = Selection(preset="loss_options")
    with pytest.raises(InputError, match=r"evaluate\.extreme is not listed in params\.yaml: put \+\+ before it"):
        comparing.compose(listed, {}, ["evaluate.extreme=3"])
    assert "++evaluate.extreme=3" in comparing.compose(listed, {}, ["++evaluate.extreme=3"]).overrides


OWN = {"source": "tags_csv", "path": "data/raw/own/rows.csv"}


def test_what_a_queued_run_would_not_find_is_said_before_it_is_queued(ready):
    path, git = ready / OWN["path"], ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
    few = {"presets": {"vae_small": RAW["presets"]["vae_small"]}, "datasets": {"tags": {"source": "tags"}, "own": OWN}}
    params = RAW | few | {"suites": {}, "runs": {"vae_small": {"data": "tags"}}}
    (ready / "params.yaml").write_text(yaml.safe_dump(params))
    path.parent.mkdir(parents=True)
    path.write_text("tags\na|b\n")
    subprocess.run([*git, "init", "-q"], check=True)
    own, other = ({"run": {"data": data, "preset": "vae_small"}} for data in ("own", "tags"))

    def queue(configurations):
        return comparing.compose(Selection(configurations=configurations), {}, (), queue=True)

    with pytest.raises(
        InputError, match=r"datasets\.own\.path: neither git nor DVC tracks data/raw/own/rows\.csv.*dvc add"
    ):
        queue(own)
    queue(other)
    (path.parent / "best.safetensors").touch()
    begins = {"run": {"data": "tags", "preset": "vae_small", "train": {"start_from": "data/raw/own/best.safetensors"}}}
    with pytest.raises(InputError, match=r"runs\.run\.train\.start_from: neither git nor DVC tracks data/raw/own/best"):
        queue(begins)
    comparing.compose(Selection(configurations=own), {}, ())  # not queued
    for tracked in (path, path.with_name("rows.csv.dvc"), path.parent.with_name("own.dvc")):
        tracked.touch()
        subprocess.run([*git, "add", "-f", str(tracked)], check=True)
        queue(own)
        subprocess.run([*git, "rm", "-q", "--cached", str(tracked)], check=True)


def test_starts_of_no_run_that_is_compared_are_taken_out(ready):
    starts = {"after_tags": {"data": "tags", "run": "tags"}, "after_photos": {"data": "photos", "run": "photos"}}
    Path("params.yaml").write_text(yaml.safe_dump({**RAW, "starts": starts}, sort_keys=False))
    made = compose(Selection(None, {"tags": {"data": "tags"}}), {}, ())
    assert made.overrides[-2:] == ("~starts", "+starts={after_tags: {data: tags, run: tags}}")
    both = {name: {"data": name} for name in ("tags", "photos")}
    assert not any("starts" in override for override in compose(Selection(None, both), {}, ()).overrides)
