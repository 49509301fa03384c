"""docs/params.md is that of the schema, and misses nothing of it."""

from pathlib import Path

import pytest

from vaelab.data.sources import SOURCES
from vaelab.params import base, blocks, datasets, loss, schema
from vaelab.params.document import params_document

PATH = Path(__file__).parents[2] / "docs/params.md"
MODELS = {
    "split.": datasets.Split,
    "compare.": schema.Compare,
    "loss.terms.": loss.Terms,
    **{f"{name}.": field.annotation for name, field in schema.Options.model_fields.items()},
}
WITHOUT_PREFIX = (
    base.Schedule, blocks.Bounds, blocks.HealthyRange, blocks.Limits, schema.RunEntry, *datasets.SETTINGS,
)  # fmt: skip
GROUPS = {"loss.terms", *schema.Options.model_fields}
FIELDS = {
    f"{model.__name__}: {prefix}{name}": (prefix + name, field)
    for prefix, model in [*MODELS.items(), *(("", model) for model in WITHOUT_PREFIX)]
    for name, field in model.model_fields.items()
    if prefix + name not in GROUPS
}


def test_the_file_is_up_to_date():
    assert PATH.read_text() == params_document(), "run `make docs`"


def is_documented(path, field, lines):
    start = (field.description or "").split("|")[0].split("\n")[0]
    return start and any(start in line for line in lines if line.startswith(f"| `{path}` |"))


def test_every_field_is_documented():
    lines = params_document().splitlines()
    assert len(FIELDS) > 250
    assert [name for name, (path, field) in FIELDS.items() if not is_documented(path, field, lines)] == []


def test_every_source_is_documented():
    sources = [source.model_fields["source"].annotation.__args__[0] for source in SOURCES]
    assert set(SOURCES) == set(datasets.SETTINGS)
    assert len(set(sources)) == len(SOURCES) >= 8
    assert all(f"`source: {source}`" in params_document() for source in sources)


def test_every_row_has_four_columns():
    rows = [line for line in params_document().splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {5}


@pytest.mark.parametrize(
    "row",
    [
        "| `loss.gamma` | `2.0` | number, ≥ 0, ≤ 10 |",
        "| `model.norm` | `batch` | `batch`, `group`, `layer`, `none` |",
        "| `loss.capacity` | `null` | number ≥ 0, a schedule or null |",
        "| `train.compile` | `false` | true or false |",
        "| `path` | required | text |",
        "| `split.train` | `0.8` | number, ≥ 0, ≤ 1 |",
        "| `model.upsampling` | `transposed` | `transposed`, `resize` |",
        "| `train.ema` | `0.0` | number, ≥ 0, < 1 |",
        "| `loss.terms.mse` | `0.0` | number ≥ 0 or a schedule |",
        "| `size` | `64` | integer, ≥ 16, ≤ 512 |",
        "| `good` | required | number |",
        "| `loss.sigma` | `optimal` | `optimal` or number > 0 |",
        "| `evaluate.top_k` | `5`, `10` | list of integers ≥ 1 and ≤ 1000 |",
        "| `train.stop_when` | `{}` | name: range |",
        "| `train.healthy` | `{}` | name: list of ranges |",
        "| `threshold.weights` | `[]` | list of numbers > 0 and ≤ 1000000 |",
        "| `source` | required | `aitex` |",
        "| `fabrics` | `null` | list of texts or null |",
        "| `split` | see below | group |",
    ],
)
def test_defaults_and_bounds(row):
    assert row in params_document()
