"""What the weight of KL does to KL: one data set, one model, weights far apart, some seeds.

    python benchmarks/beta_rates.py [--folder FOLDER] [--seeds 2]

Crops of photographs, 32 × 32 pixels; convolutions to 32 latents; Gaussian likelihood; 20 epochs. Numbers of the test
split. About 15 CPU seconds a run; what is in FOLDER already is not trained again. Result: a table, printed and in
benchmarks/results/beta_rates.md.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from statistics import mean, stdev

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

import yaml
from tabulate import tabulate

from vaelab import artifacts, storage

BETAS = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
RUN = {
    "data": "photos", "model": {"latent_dim": 32, "width": 8}, "loss": {"terms": {"gaussian": 1.0}},
    "train": {"epochs": 20, "batch_size": 16, "learning_rate": 0.002, "decay": "cosine", "checkpoint_every": 100},
}  # fmt: skip
DATA = {"source": "photos", "size": 32, "crops": 600, "split": {"train": 0.6, "val": 0.2, "test": 0.2}}
NUMBERS = ("KL, nats", "a linear VAE would spend, nats", "KL over that", "PSNR, dB", "PSNR of the mean image, dB")


def main() -> None:
    """Train, evaluate, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("beta_rates"), help="where runs are trained")
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    os.chdir(options.folder)
    names = {beta: [f"beta_{beta:g}_{seed}".replace(".", "_") for seed in range(options.seeds)] for beta in BETAS}
    params = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    runs = {
        name: {**RUN, "loss": {**RUN["loss"], "beta": beta}, "train": {**RUN["train"], "seed": seed}}
        for beta, own in names.items()
        for seed, name in enumerate(own)
    }
    storage.write_yaml(artifacts.PARAMS, params | {"datasets": {"photos": DATA}, "runs": runs, "suites": {}})
    stage("resolve")
    if not (artifacts.prepared("photos") / "meta.json").exists():
        stage("prepare", "photos")
    for name in runs:
        if not artifacts.evaluation(name).exists():
            stage("train", name)
            stage("evaluate", name)
    rows = [[f"{beta:g}", *map(spread, zip(*map(numbers, own), strict=True))] for beta, own in names.items()]
    table = tabulate(rows, ["β", *NUMBERS], tablefmt="github", disable_numparse=True)
    print(table)
    storage.write_text(ROOT / "benchmarks/results/beta_rates.md", table + "\n")


def stage(name: str, *words: str) -> None:
    """Run the script of a stage."""
    subprocess.run([sys.executable, str(ROOT / f"stages/{name}.py"), *words], check=True, stderr=subprocess.DEVNULL)


def numbers(name: str) -> tuple[float, ...]:
    """Return the NUMBERS of a run."""
    metrics = storage.read_json(artifacts.evaluation(name))
    rate, star, test = metrics["test"]["rate"], metrics["run"]["rate_star"], metrics["test"]
    return rate, star, rate / max(star, 1e-9), test["psnr"], test["floors"]["mean_image"]["psnr"]


def spread(values: tuple[float, ...]) -> str:
    """Return mean ± standard deviation over seeds."""
    middle = mean(values)
    digits = 0 if abs(middle) >= 100 else 1 if abs(middle) >= 10 else 2
    return f"{middle:.{digits}f} ± {stdev(values):.{digits}f}" if len(values) > 1 else f"{middle:.{digits}f}"


if __name__ == "__main__":
    main()
