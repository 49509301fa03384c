"""params.yaml as text: what new projects say, and entries that leave all else to the byte as it is."""

from pathlib import Path

import pytest
import yaml
from yaml import CSafeLoader

from vaelab.commands.init.examples import RUNS, example
from vaelab.commands.init.params_text import entry, new_params, packaged_entry, with_entry
from vaelab.errors import InputError
from vaelab.params.resolve import resolve

ROOT = Path(__file__).resolve().parents[3]
HERE = Path("params.yaml")
TEXT = """\
# first
datasets:      # all
    a: {source: tags}   # one

    # the other
    b:
        source: tags
        rows: 20        # few

runs: {}       # none
train: {epochs: 3}
"""


def test_examples_resolve_to_the_runs_of_the_repository(tmp_path):
    own, found = yaml.load((ROOT / "params.yaml").read_text(), CSafeLoader), {}
    for made in map(example, RUNS):
        (tmp_path / "params.yaml").write_text(new_params(made.dataset, made.runs, made.presets))
        resolved = resolve(tmp_path / "params.yaml")
        assert not resolved.warnings
        assert resolved.runs.keys() == made.runs.keys()
        assert all(own["runs"].get(run, entry) == entry for run, entry in made.runs.items())
        found |= {name: (run, made.runs[name]) for name, run in resolved.runs.items()}
    runs = {name: entry for name, (_, entry) in found.items()}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(own | {"runs": runs, "suites": {}}))
    assert {name: run for name, (run, _) in found.items()} == resolve(tmp_path / "own.yaml").runs


def test_an_entry_is_added_at_the_end_of_its_group_and_nothing_else_changes():
    made = with_entry(TEXT, "datasets", "c", entry("c", {"source": "tags", "rows": 30}, {"rows": "why"}), HERE)
    added = ["    c:", "      source: tags", "      rows: 30                    # why"]
    lines = made.splitlines()
    assert [line for line in lines if line not in added] == TEXT.splitlines()
    assert lines.index("    c:") == lines.index("        rows: 20        # few") + 1
    assert list(yaml.safe_load(made)["datasets"]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    "text",
    [
        "runs: {}       # none\na: 1\n",
        "a: 1\nruns: null\n",
        "a: 1\n",
        "a: 1",
        "runs:\na: 1\n",
        "runs: {x: {data: d}}  # y\n",
    ],
)
def test_a_group_that_is_empty_or_in_braces_or_missing_takes_an_entry(text):
    made = with_entry(text, "runs", "r", "  r: {data: d, loss: {beta: 2}}\n", HERE)
    before = yaml.safe_load(text)
    assert yaml.safe_load(made) == {
        **before,
        "runs": {**(before.get("runs") or {}), "r": {"data": "d", "loss": {"beta": 2}}},
    }
    assert text.partition("#")[2].partition("\n")[0] in made


def test_what_cannot_be_added_is_said():
    with pytest.raises(InputError, match=r"datasets\.a is there already"):
        with_entry(TEXT, "datasets", "a", "  a: {source: tags}\n", HERE)
    with pytest.raises(InputError, match="add this by hand"):
        with_entry("x: &x {a: 1}\nruns: *x\n", "runs", "b", "  b: 2\n", HERE)
    with pytest.raises(InputError, match="did you mean 'page_ink'"):
        packaged_entry("presets", "page_inc")


def test_presets_come_with_their_comments():
    assert packaged_entry("presets", "tags").startswith("  tags:        ")
    assert "# tables of tags: the recommended start" in packaged_entry("presets", "tags")
    assert list(yaml.safe_load(packaged_entry("presets", "object_local"))) == ["object_local"]


def test_letters_of_all_languages_stand_in_params_as_they_are():
    text = entry("a", {"tags": "Größe, 大", "separator": "|"}, {"tags": "guessed"})
    assert "    tags: Größe, 大              # guessed" in text
    assert yaml.safe_load(text) == {"a": {"tags": "Größe, 大", "separator": "|"}}
