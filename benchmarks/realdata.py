"""The stories of docs/sharpness.md, docs/documents.md and docs/tags.md on real data, which stay out of the repository.

    VAELAB_REALDATA=folder python benchmarks/realdata.py faces        # portraits, 64 × 64, two seeds
    VAELAB_REALDATA=folder python benchmarks/realdata.py images       # the same, by the presets for any images
    VAELAB_REALDATA=folder python benchmarks/realdata.py objects      # pictures of your own, by the same presets
    VAELAB_REALDATA=folder python benchmarks/realdata.py funsd        # scanned forms
    VAELAB_REALDATA=folder python benchmarks/realdata.py tmc2007      # reports with 22 tags, the six presets
    VAELAB_REALDATA=folder python benchmarks/realdata.py delicious    # bookmarks with 983 tags, the same and one more

Runs the pipeline's own stages with params.yaml's presets in a folder of its own (`--folder` keeps it, and goes on where
an earlier call stopped) and writes a table of what the report shows to benchmarks/results/.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
SHOWN = (
    "psnr", "ssim", "sharpness_ratio_median", "edge_f1", "text_edge_f1", "text_psnr", "ink_mse", "ocr_cer", "rate",
    "distortion", "ocr_words", "ocr_digits", "ocr_pages",
    "sample_precision", "sample_recall", "sample_mmd", "real_precision", "real_recall", "psnr_group_gap",
    "lrap", "recall_at_10", "hamming_loss", "best_hamming_loss", "f1_micro", "best_f1_micro", "jaccard_index", "bce",
    "active_units", "silhouette", "pct_unique_combinations", "entropy", "cosine_similarity_off_diagonal",
    "kl_divergence", "real_entropy", "real_cosine_similarity_off_diagonal", "real_kl_divergence",
)  # fmt: skip
BASELINES = ("pca", "patch_pca", "blur", "white_page", "zero", "frequency", "independent")
BASELINE_METRICS = (
    "psnr", "ssim", "text_edge_f1", "ocr_cer", "ocr_words", "ocr_digits", "lrap", "recall_at_10", "hamming_loss",
    "best_f1_micro", "entropy", "cosine_similarity_off_diagonal", "kl_divergence",
)  # fmt: skip
LONG = {"epochs": 12, "checkpoint_every": 12}
FUNSD_MSE = 0.006  # on val, at which the losses are compared
MIXTURE = {"prior": "mixture"}
BRIEF = {"z_samples": 1, "importance_samples": 0, "samples": 100}


def faces(data: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the data set and the runs on portraits."""
    folder = data / "faces_congress"
    dataset = {"source": "npy", "train": str(folder / "train.npy"), "val": str(folder / "val.npy")}
    runs: dict[str, Any] = {}
    for seed in (0, 1):
        for name in ("sharp_map", "sharp_vector"):
            train = {**LONG, "seed": seed}
            runs[f"{name}_seed_{seed}"] = {"preset": name, "train": train, "evaluate": MIXTURE}
    return dataset, {**runs, **suite_runs("sharpness")}


def images(data: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the portraits, and the presets for any folder of images on two seeds."""
    return faces(data)[0], _on_seeds("images", "images_compact")


def objects(data: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return pictures of the user's own, `objects/train.npy`, `val.npy` and `test.npy`, and the same presets."""
    files = {phase: str(data / "objects" / f"{phase}.npy") for phase in ("train", "val", "test")}
    return {"source": "npy", **files}, _on_seeds("images", "images_compact", "sharp_map")


def _on_seeds(*presets: str) -> dict[str, Any]:
    return {
        f"{name}_seed_{seed}": {"preset": name, "train": {"seed": seed}, "evaluate": BRIEF}
        for name in presets
        for seed in (0, 1)
    }


def funsd(data: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the data set and the runs on scanned forms: a part of the pages, so that a run takes minutes."""
    dataset = {"source": "funsd", "path": str(data / "docs_funsd"), "max_pages": 8}
    stop = {"stop_when": {"mse": {"max": FUNSD_MSE}}}
    return dataset, {name: {**entry, "train": stop} for name, entry in suite_runs("documents").items()}


def tmc2007(data: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the data set of 22 tags, and the six presets on it."""
    return _table(data / "tags_mulan_tmc2007"), suite_runs("all")


def delicious(data: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the data set of 983 tags, the six presets on it, and one with a small weight of KL, on three seeds."""
    seeds = {f"large_vocabulary_seed{n}": {"preset": "large_vocabulary", "train": {"seed": n}} for n in (0, 1, 2)}
    return _table(data / "tags_mulan_delicious"), {**seeds, **suite_runs("all")}


def _table(folder: Path) -> dict[str, Any]:
    paths = {"path": str(folder / "tags.csv"), "vocabulary": str(folder / "vocabulary.txt")}
    return {"source": "tags_csv", "id": "id", **paths}


def suite_runs(name: str) -> dict[str, Any]:
    """The runs of a suite of params.yaml, without their data set."""
    suite = yaml.safe_load((ROOT / "params.yaml").read_text())["suites"][name]
    return {run: {"preset": run, **{key: value for key, value in entry.items() if key != "data"}}
            for run, entry in suite.items()}  # fmt: skip


STORIES = {
    "faces": faces, "images": images, "objects": objects, "funsd": funsd, "tmc2007": tmc2007, "delicious": delicious,
}  # fmt: skip


def main() -> None:
    """Run a story and write its table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("story", choices=STORIES)
    parser.add_argument("--folder", type=Path, help="where the stages run; kept")
    parser.add_argument("--runs", nargs="*", help="only these")
    options = parser.parse_args()
    if "VAELAB_REALDATA" not in os.environ:
        sys.exit("VAELAB_REALDATA: not set; expected the folder of the real data")
    dataset, runs = STORIES[options.story](Path(os.environ["VAELAB_REALDATA"]).resolve())
    runs = {name: run for name, run in runs.items() if not options.runs or name in options.runs}
    folder = (options.folder or Path(tempfile.mkdtemp(prefix=f"vaelab-{options.story}-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    rows = [measured(folder, name) for name in train_all(folder, options.story, dataset, runs)]
    write(
        options.story, rows, linear_starts(folder / "data" / "prepared" / "faces") if options.story == "faces" else {}
    )
    if options.folder is None:
        shutil.rmtree(folder)


def train_all(folder: Path, data: str, dataset: dict[str, Any], runs: dict[str, Any]) -> list[str]:
    """Prepare the data, then train and evaluate each run; what is there already is not done again."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    params["datasets"], params["suites"] = {data: dataset}, {}
    params["runs"] = {name: {"data": data, **run} for name, run in runs.items()}
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    stage(folder, "resolve")
    if not (folder / "data" / "prepared" / data / "meta.json").exists():
        stage(folder, "prepare", data)
    for name in runs:
        if not (folder / "models" / name / "last.safetensors").exists():
            start, busy = time.perf_counter(), cpu_seconds()
            stage(folder, "train", name)
            (folder / f"{name}.seconds").write_text(f"{time.perf_counter() - start:.0f}")
            (folder / f"{name}.cpu").write_text(f"{cpu_seconds() - busy:.1f}")
        if not (folder / "metrics" / "evaluate" / f"{name}.json").exists():
            stage(folder, "evaluate", name)
    return list(runs)


def cpu_seconds() -> float:
    """Return the CPU seconds of all stages that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def stage(folder: Path, name: str, *arguments: str) -> None:
    """Run one stage script in the folder."""
    subprocess.run([sys.executable, str(ROOT / "stages" / f"{name}.py"), *arguments], cwd=folder, check=True)


def measured(folder: Path, name: str) -> dict[str, Any]:
    """Return what a run and its baselines reach on the phase that is reported, under the names of comparison.csv."""
    sys.path.insert(0, str(ROOT / "src"))
    from vaelab.metrics.nested import flat

    metrics = json.loads((folder / "metrics" / "evaluate" / f"{name}.json").read_text())
    final = flat(metrics["test" if "test" in metrics else "val"])
    row = {"run": name, "latent_dim": metrics["run"]["latent_dim"], "parameters": metrics["run"]["parameters"]}
    row |= {"train_seconds": float((folder / f"{name}.seconds").read_text())}
    row |= {"cpu_seconds": float((folder / f"{name}.cpu").read_text())}
    start = folder / "models" / name / "checkpoints" / "epoch_000.safetensors"
    if start.exists():  # the untrained control
        (data,) = (folder / "data" / "prepared").iterdir()
        reached = psnr_of(start, data, "test" if "test" in metrics else "val")
        row |= {"untrained_psnr": reached, "best_epoch": metrics["run"]["best_epoch"]}
    row |= {"effective_beta": metrics["run"]["effective_beta_measured"]}
    row |= {key: final[key] for key in SHOWN if key in final}
    wanted = {f"floor_{method}_{key}" for method in BASELINES for key in BASELINE_METRICS}
    return row | {key: value for key, value in final.items() if key in wanted}


def psnr_of(weights: Path, data: Path, phase: str) -> float:
    """Return what a model reaches on a split, mean over images, dB."""
    import torch

    from vaelab.data.format.batches import load_split
    from vaelab.data.format.prepared import read_info
    from vaelab.measures.image.reconstruction import psnr
    from vaelab.models.files import load_model

    model, split = load_model(weights).model.eval(), load_split(data, phase, read_info(data), torch.device("cpu"))
    with torch.no_grad():
        errors = [(model(part.x).reconstruction - part.x).square().flatten(1).mean(1) for part in split.in_order(32)]
    return float(psnr(torch.cat(errors)).mean())


def linear_starts(data: Path) -> dict[str, float]:
    """Return PSNR on val of linear models of 512 components, as `init: pca` starts from them, in dB."""
    sys.path.insert(0, str(ROOT / "src"))
    import torch

    from vaelab.data.format.batches import load_split
    from vaelab.data.format.prepared import read_info
    from vaelab.measures.image.reconstruction import psnr
    from vaelab.models.image.patch_pca import fit_shrunk_pca
    from vaelab.models.pca import reconstruct

    info, device = read_info(data), torch.device("cpu")
    train, val = (load_split(data, phase, info, device) for phase in ("train", "val"))
    images, x = train.stored(torch.arange(len(train))), val.take(torch.arange(len(val))).x
    starts = {}
    for name, flip, share in (("pca", False, 0.0), ("pca_flips", True, 0.0), ("pca_flips_patches", True, 0.5)):
        y = reconstruct(fit_shrunk_pca(images, 512, 0, flip, share), x.flatten(1)).view_as(x).clamp(0, 1)
        starts[name] = float(psnr((x - y).square().flatten(1).mean(1)).mean())
    return starts


def write(story: str, rows: list[dict[str, Any]], starts: dict[str, float]) -> None:
    """Write the rows as JSON and print them as a table."""
    from tabulate import tabulate

    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"{story}.json"
    made = {row["run"] for row in rows}
    others = [row for row in json.loads(path.read_text())["runs"] if row["run"] not in made] if path.exists() else []
    path.write_text(json.dumps({"runs": others + rows, "starts": starts}, indent=1) + "\n")
    print(tabulate(rows, headers="keys", floatfmt=".3f"))
    print("\n".join(f"512 components, untrained, {name}: {value:.2f} dB" for name, value in starts.items()))
    print(f"written to {path.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
