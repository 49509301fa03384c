"""comparison.csv: the columns that are promised, the same numbers under one name each."""

import json

import pandas as pd
import pytest
from comparisons import METRICS, ill, result, seeds

from vaelab import storage
from vaelab.comparison.metric_table import FACTS
from vaelab.comparison.table import table, table_rows
from vaelab.metrics import tables
from vaelab.metrics.tables import TABLES, column, cost, direction_text, held_out

PROMISED = [
    "configuration", "test_loss", "test_bce", "test_kld", "hamming_loss", "jaccard_index", "pct_active_units",
    "silhouette_score", "pct_unique_combinations", "entropy", "gini_coefficient", "cosine_similarity", "kl_divergence",
]  # fmt: skip
ABOUT = ["data", "preset", "seed", "seed_group", "phase", "convention", "collapsed", "recommended", *FACTS]
every_kind = pytest.mark.parametrize("kind", METRICS)


def test_tags_have_the_promised_columns_in_their_order():
    assert list(table([result(kind="tags")]))[: len(PROMISED)] == PROMISED


@every_kind
def test_the_chosen_metrics_come_first_then_what_the_run_is_then_the_rest(kind):
    columns = list(table([result("a", kind), result("b", kind)]))
    chosen = ["configuration", *TABLES[kind].columns]
    assert columns[: len(chosen) + len(ABOUT)] == chosen + ABOUT
    assert len(set(columns)) == len(columns)
    assert {column(name) for name in METRICS[kind]} <= set(columns)


@every_kind
def test_each_number_stands_under_its_name(kind):
    (row,) = table([result("a", kind)]).to_dict("records")
    for name, value in METRICS[kind].items():
        assert row[column(name)] == value
    assert (row["configuration"], row["data"], row["seed"], row["phase"]) == ("a", "data", 0, "test")
    assert (row["parameters"], row["collapsed"], row["recommended"]) == (1234, "", True)
    assert row[f"val_{TABLES[kind].selection[0]}"] == METRICS[kind][TABLES[kind].selection[0]]


def test_data_without_a_test_split_report_val_and_say_so():
    found = result(phases=("train", "val"), macro_f1=0.4)
    (row,) = table([found]).to_dict("records")
    assert (row["phase"], row["macro_f1"], row["test_loss"]) == ("val", 0.4, 60.0)


def test_kinds_share_one_table_with_empty_cells(tmp_path):
    results = [result(kind, kind, f"{kind}_data") for kind in METRICS]
    rows = table(results)
    assert rows.loc[0, "psnr":"psnr"].isna().all()
    found = rows.set_index("configuration")
    assert found["test_kld"].notna().all()
    assert found["hamming_loss"].notna().to_dict() == {"grid": False, "image": False, "tags": True}
    assert found["psnr"].notna().to_dict() == {"grid": False, "image": True, "tags": False}
    assert found["recommended"].all()


def test_the_table_survives_the_disk(tmp_path):
    results = [*seeds("base", [0.6, 0.7]), result("tags", "tags", "others", blocks={"loss": {"beta": 0.25}})]
    rows = table(results)
    storage.write_csv(tmp_path / "comparison.csv", rows.to_dict("records"))
    back = pd.read_csv(tmp_path / "comparison.csv")
    assert list(back) == list(rows)
    assert back["convention"].tolist() == rows["convention"].tolist()
    assert back["seed_group"].tolist() == ["base", "base", "tags"]
    assert back["real_entropy"].tolist()[2] == 5.0
    numbers = [name for name in rows if pd.api.types.is_float_dtype(rows[name])]
    pd.testing.assert_frame_equal(back[numbers], rows[numbers], rtol=1e-6, check_dtype=False)


def test_a_broken_run_says_by_what():
    bad = ill(result("bad"), "majority_collapse", "unstable")
    rows = table([bad, result("fine")]).set_index("configuration")
    assert rows.loc["bad", "collapsed"] == "majority_collapse; unstable"
    assert rows["recommended"].to_dict() == {"bad": False, "fine": True}


def test_values_that_json_does_not_have_are_empty():
    from vaelab.comparison.judge import judge_all
    from vaelab.params.schema import Compare

    found = result(foreground_accuracy=None)
    (row,) = table_rows([found], judge_all([found], Compare()))
    assert row["foreground_accuracy"] is None
    json.dumps(row)


@every_kind
def test_every_column_is_a_metric_with_a_direction(kind):
    names = {column(name): name for name in tables.METRICS}
    assert set(TABLES[kind].columns) <= set(names)
    for name in [*TABLES[kind].shown, *(name for names in TABLES[kind].groups.values() for name in names)]:
        assert direction_text(name)
    assert len(set(names)) == len(tables.METRICS)  # no two metrics in one column


@pytest.mark.parametrize(
    ("name", "better", "worse", "real"),
    [
        ("lrap", 0.9, 0.8, None),
        ("hamming_loss", 0.1, 0.2, None),
        ("entropy", 4.5, 6.0, 5.0),
        ("entropy", 5.2, 4.5, 5.0),
        ("recall_at_5", 0.9, 0.8, None),
    ],
)
def test_less_cost_is_better(name, better, worse, real):
    assert cost(name, better, real) < cost(name, worse, real)


@pytest.mark.parametrize(
    ("name", "value", "real"), [("rate", 1.0, None), ("lrap", None, None), ("lrap", float("nan"), 1.0),
                                ("entropy", 1.0, None), ("entropy", 1.0, float("nan"))]
)  # fmt: skip
def test_what_cannot_be_better_has_no_cost(name, value, real):
    assert cost(name, value, real) is None


def test_held_out_data_have_their_metric():
    assert [held_out(name) for name in ("entropy", "sample_tags", "sample_recall", "sample_mmd")] == [
        "real_entropy", "real_sample_tags", "real_recall", "real_mmd",
    ]  # fmt: skip
    assert direction_text("entropy", "5.0") == "closest to held-out data (5.0)"


def test_measures_with_one_drawn_z_are_the_last_columns():
    columns = list(table([result("a"), result("b", "image", data="photos"), result("c", "tags", data="tags")]))
    assert columns[-3:] == ["sampled_macro_f1", "sampled_psnr", "sampled_lrap"]
    assert not any(name.startswith("sampled_") for name in columns[:-3])
