"""docs/params.md is that of the schema, and misses nothing of it."""

from pathlib import Path

import pytest

from vaelab.data.sources import SOURCES
from vaelab.params import base, blocks, datasets, loss, schema
from vaelab.params.document import params_document
from vaelab.params.kinds import KINDS

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
DOCUMENT = params_document()
GROUPS = {"loss.terms", *schema.Options.model_fields}
FIELDS = {
    f"{model.__name__}: {prefix}{name}": (prefix + name, field)
    for prefix, model in [*MODELS.items(), *(("", model) for model in WITHOUT_PREFIX)]
    for name, field in model.model_fields.items()
    if prefix + name not in GROUPS
}


def prefix_of(field):
    """What stands before the meaning of an option that is not for all kinds of data: "Grids, images: "."""
    extra = field.json_schema_extra or {}
    kinds = [KINDS[kind].plural for kind in extra.get(base.OF_KINDS, ())]
    network = f", and `{extra[base.OF_NETWORK]}`" if base.OF_NETWORK in extra else ""
    return f"{', '.join(kinds).capitalize()}{network}: " if kinds else ""


def test_the_file_is_up_to_date():
    assert PATH.read_text() == DOCUMENT, "run `make docs`"


def is_documented(path, field):
    rows = [line for line in DOCUMENT.splitlines() if line.startswith(f"| `{path}` |")]
    text, prefix = (field.description or "").split("|")[0].split("\n")[0], prefix_of(field)
    begun = (text, text[:1].lower() + text[1:]) if prefix else (text,)
    return text and any(f" | {prefix}{words}" in row for row in rows for words in begun)


def test_every_field_is_documented():
    assert len(FIELDS) > 250
    assert [name for name, (path, field) in FIELDS.items() if not is_documented(path, field)] == []


def test_every_source_is_documented():
    sources = [source.model_fields["source"].annotation.__args__[0] for source in SOURCES]
    assert set(SOURCES) == set(datasets.SETTINGS)
    assert len(set(sources)) == len(SOURCES) >= 8
    assert all(f"`source: {source}`" in DOCUMENT for source in sources)


def test_every_row_has_four_columns():
    rows = [line for line in DOCUMENT.splitlines() if line.startswith("|")]
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
        "| `train.stop_when` | `{}` | column of history.csv: range |",
        "| `train.healthy` | `{}` | column of history.csv: list of ranges |",
        "| `threshold.weights` | `[]` | list of numbers > 0 and ≤ 1000000 |",
        "| `source` | required | `aitex` |",
        "| `fabrics` | `null` | list of names or null |",
        "| `split` | see below | group |",
    ],
)
def test_defaults_and_bounds(row):
    assert row in DOCUMENT
