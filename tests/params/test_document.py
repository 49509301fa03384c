"""docs/params.md is that of the schema, and misses nothing of it."""

from pathlib import Path

import pytest

from vaelab.data.sources import SOURCES
from vaelab.params import blocks, schema
from vaelab.params.document import params_document

PATH = Path(__file__).parents[2] / "docs/params.md"
MODELS = {
    "split.": schema.Split,
    "compare.": schema.Compare,
    "loss.terms.": blocks.Terms,
    **{f"{name}.": field.annotation for name, field in schema.Options.model_fields.items()},
}
FIELDS = {prefix + name: field for prefix, model in MODELS.items() for name, field in model.model_fields.items()}
FIELDS |= {
    name: field for m in (blocks.Schedule, schema.ArcFolder, schema.RunEntry) for name, field in m.model_fields.items()
}
GROUPS = {"loss.terms", *schema.Options.model_fields}


def test_the_file_is_up_to_date():
    assert PATH.read_text() == params_document(), "run `make docs`"


@pytest.mark.parametrize("path", sorted(FIELDS.keys() - GROUPS))
def test_every_field_is_documented(path):
    rows = [line for line in params_document().splitlines() if line.startswith(f"| `{path}` |")]
    assert FIELDS[path].description
    assert any(FIELDS[path].description.split("|")[0].split("\n")[0] in row for row in rows)


def test_every_source_is_documented():
    sources = [source.model_fields["source"].annotation.__args__[0] for source in SOURCES]
    assert sources
    assert all(f"`source: {source}`" in params_document() for source in sources)


def test_every_row_has_four_columns():
    rows = [line for line in params_document().splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {5}


@pytest.mark.parametrize(
    "row",
    [
        "| `loss.gamma` | `2.0` | number, ≥ 0, ≤ 10 |",
        "| `model.norm` | `batch` | `batch`, `group`, `none` |",
        "| `loss.capacity` | `null` | number ≥ 0 or a schedule |",
        "| `train.compile` | `false` | true or false |",
        "| `path` | required | text |",
        "| `split.train` | `0.8` | number, ≥ 0, ≤ 1 |",
    ],
)
def test_defaults_and_bounds(row):
    assert row in params_document()
