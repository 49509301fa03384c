"""The table of docs/tags.md: the preset `tags` on real tables beside an untrained network, baselines and other presets.

    VAELAB_REALDATA=folder python benchmarks/tags.py delicious    # bookmarks with 983 tags, 64 latents
    VAELAB_REALDATA=folder python benchmarks/tags.py tmc2007      # reports with 22 tags, 8 latents
    VAELAB_REALDATA=folder python benchmarks/tags.py delicious --runs tags untrained    # some methods

Runs the pipeline's own stages in a folder of its own (`--folder` keeps it, and goes on where an earlier call stopped)
and writes benchmarks/results/tags_<data>.json and .md: test split, mean ± standard deviation over seeds. CPU seconds
are of stage train, with the start of Python.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import realdata

DATA = {"delicious": (realdata.delicious, 64), "tmc2007": (realdata.tmc2007, 8)}  # and the latents of preset `tags`
SEEDS = (0, 1, 2)
ONE_SEED = ("vae_small", "vae_medium", "vae_large", "beta_vae_default", "beta_vae_balanced", "beta_vae_high")
METHODS = ("tags", "untrained", "mult_vae", "large_vocabulary", *ONE_SEED)
UNTRAINED = {"epochs": 1, "learning_rate": 1e-12, "warmup": 0.0, "select_from": 1}
BASELINES = {"pca": "PCA", "ease": "EASE", "frequency": "frequencies"}
COLUMNS = {
    "lrap": "LRAP", "sampled_lrap": "LRAP, one drawn z", "recall_at_3": "recall@3", "recall_at_10": "recall@10",
    "best_f1_micro": "F1, micro", "grouped_f1_macro": "F1, macro, thresholds by group",
    "completion_recall_at_3": "completion recall@3", "completion_recall_at_10": "completion recall@10",
    "completion_ndcg_at_10": "completion NDCG@10", "completion_gain_over_ease": "… − EASE",
    "completion_gain_over_ease_error": "its standard error over rows", "unseen_lrap": "LRAP, new rows",
    "unseen_sampled_lrap": "…, one drawn z", "unseen_completion_ndcg_at_10": "completion NDCG@10, new rows",
    "unseen_completion_gain_over_ease": "… − EASE, new rows", "rate": "rate, nats",
    "negative_elbo": "negative ELBO, nats", "sample_tags": "tags a sample", "kl_divergence": "KL(data ‖ samples)",
    "cpu_seconds": "CPU s",
}  # fmt: skip
FACTS = ("completion_rows", "completion_left_out", "unseen_rows", "seen_share", "true_tags", "real_kl_divergence",
         "real_sample_tags")  # fmt: skip


def runs_of(latent_dim: int) -> dict[str, dict[str, Any]]:
    """Return the runs by name, <method>_seed<n>."""
    entries: dict[str, dict[str, Any]] = {
        "tags": {"preset": "tags", "model": {"latent_dim": latent_dim}},
        "untrained": {"preset": "tags", "model": {"latent_dim": latent_dim}, "train": UNTRAINED},
        **{name: {"preset": name} for name in METHODS[2:]},
    }
    runs = {}
    for name, entry in entries.items():
        for seed in SEEDS[:1] if name in ONE_SEED else SEEDS:
            evaluate = {"top_k": [3, 5, 10]}
            runs[f"{name}_seed{seed}"] = entry | {
                "train": entry.get("train", {}) | {"seed": seed},
                "evaluate": evaluate,
            }
    return runs


def measured(folder: Path, name: str) -> dict[str, Any]:
    """Return what a run reaches on test, the baselines nested."""
    sys.path.insert(0, str(realdata.ROOT / "src"))
    from vaelab.metrics.nested import flat

    metrics = json.loads((folder / "metrics" / "evaluate" / f"{name}.json").read_text())
    test, run = flat(metrics["test"]), metrics["run"]
    row: dict[str, Any] = {"run": name, "cpu_seconds": float((folder / f"{name}.cpu").read_text())}
    row |= {key: run[key] for key in ("latent_dim", "parameters", "best_epoch", "effective_beta")}
    row |= {key: test[key] for key in (*COLUMNS, *FACTS) if key in test}
    of_baselines = {
        method: {key: test[f"floor_{method}_{key}"] for key in COLUMNS if f"floor_{method}_{key}" in test}
        for method in BASELINES
    }
    return row | {"baselines": of_baselines}


def table(rows: list[dict[str, Any]]) -> str:
    """Return the table in Markdown: a line for each method, the mean ± standard deviation of its seeds."""
    methods: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        methods.setdefault(row["run"].rpartition("_seed")[0], []).append(row)
    lines = [["", *COLUMNS.values()], ["---", *["--:"] * len(COLUMNS)]]
    for name, of in methods.items():
        title = f"{name}, {of[0]['latent_dim']} latents, {len(of)} {'seeds' if len(of) > 1 else 'seed'}"
        lines.append([title, *(_cell([row[key] for row in of if key in row]) for key in COLUMNS)])
    for name, title in BASELINES.items():
        for size in dict.fromkeys(row["latent_dim"] for row in rows) if name == "pca" else [None]:
            first = next(row for row in rows if size in (None, row["latent_dim"]))["baselines"][name]
            known = [title if size is None else f"{title}, {size}"]
            if first:  # PCA of as many numbers as there are tags loses nothing, and is no baseline
                lines.append(known + [_cell([first[key]] if key in first else []) for key in COLUMNS])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(values: list[float]) -> str:
    if not values:
        return ""
    mean = f"{fmean(values):.3f}" if abs(fmean(values)) < 10 else f"{fmean(values):.1f}"
    return f"{mean} ± {stdev(values):.2g}" if len(values) > 1 else mean


def main() -> None:
    """Run the methods on a data set and write their table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", choices=DATA)
    parser.add_argument("--folder", type=Path, help="where the stages run; kept")
    parser.add_argument("--runs", nargs="*", help="only these methods, such as tags")
    parser.add_argument("--seeds", nargs="*", type=int, default=SEEDS, help="only these of 0, 1, 2")
    options = parser.parse_args()
    if "VAELAB_REALDATA" not in os.environ:
        sys.exit("VAELAB_REALDATA: not set; expected the folder of the real data")
    story, latent_dim = DATA[options.data]
    dataset, _ = story(Path(os.environ["VAELAB_REALDATA"]).resolve())
    runs = runs_of(latent_dim)
    chosen = {f"{method}_seed{seed}" for method in (options.runs or METHODS) for seed in options.seeds}
    runs = {name: run for name, run in runs.items() if name in chosen}
    folder = (options.folder or Path(tempfile.mkdtemp(prefix=f"vaelab-tags-{options.data}-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    rows = [measured(folder, name) for name in realdata.train_all(folder, options.data, dataset, runs)]
    path = realdata.RESULTS / f"tags_{options.data}.json"
    made = {row["run"] for row in rows}
    others = [row for row in json.loads(path.read_text()) if row["run"] not in made] if path.exists() else []
    order = list(runs_of(latent_dim))
    rows = sorted([*others, *rows], key=lambda row: order.index(row["run"]))
    path.write_text(json.dumps(rows, indent=1) + "\n")
    path.with_suffix(".md").write_text(f"{table(rows)}\n")
    print(table(rows))
    if options.folder is None:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
