"""SSIM and PSNR of 10,000 images: our batches against a loop over scikit-image, alternating in one process.

Gray 64 × 64 crops of scikit-image's photographs, with noise as their reconstructions. The loop is timed on a sample
and scaled to the same number of images. Both must find the same values. Times are CPU seconds of all threads, so that
what else the machine does counts little and threads win nothing. Result: benchmarks/results/.
"""

import argparse
import json
import platform
import statistics
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

import numpy as np
import skimage
import torch
from skimage import color, data
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from vaelab.measures.image.reconstruction import psnr
from vaelab.objective.ssim import ssim_values

RESULT = ROOT / "benchmarks" / "results" / "image_measures.json"
PHOTOGRAPHS = ("astronaut", "camera", "chelsea", "coffee")
SIDE, BATCH, NOISE = 64, 64, 0.1  # larger batches are slower: they leave the CPU's cache


def crops(count: int, seed: int) -> np.ndarray:
    """Return gray crops, float32 [count, SIDE, SIDE] in [0, 1]."""
    rng = np.random.default_rng(seed)
    images = [getattr(data, name)() for name in PHOTOGRAPHS]
    images = [color.rgb2gray(image) if image.ndim == 3 else image / 255 for image in images]
    found = np.empty((count, SIDE, SIDE), dtype=np.float32)
    for row in range(count):
        image = images[row % len(images)]
        top, left = (int(rng.integers(length - SIDE + 1)) for length in image.shape)
        found[row] = image[top : top + SIDE, left : left + SIDE]
    return found


def ours(x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the CPU seconds that our functions take, and SSIM and PSNR [2, N]."""
    start, found = time.process_time(), []
    for a, b in zip(torch.from_numpy(x).split(BATCH), torch.from_numpy(y).split(BATCH), strict=True):
        mse = (a - b).square().flatten(1).mean(1)
        found.append(torch.stack([ssim_values(a[:, None], b[:, None]), psnr(mse)]))
    values = torch.cat(found, 1).numpy()
    return time.process_time() - start, values


def loop(x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the CPU seconds that a loop over scikit-image takes, and SSIM and PSNR [2, N]."""
    start, found = time.process_time(), []
    for a, b in zip(x, y, strict=True):
        ssim = structural_similarity(a, b, data_range=1, gaussian_weights=True, use_sample_covariance=False)
        found.append((ssim, peak_signal_noise_ratio(a, b, data_range=1)))
    return time.process_time() - start, np.array(found).T


def main() -> None:
    """Alternate the two and write the ratio of each pair."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--sample", type=int, default=1000, help="images that the loop is timed on")
    parser.add_argument("--pairs", type=int, default=9)
    options = parser.parse_args()
    sample = min(options.sample, options.images)
    x = crops(options.images, seed=0)
    noise = np.random.default_rng(1).standard_normal(x.shape, dtype=np.float32)
    y = (x + NOISE * noise).clip(0, 1)
    ours(x, y), loop(x[:20], y[:20])  # warm up
    pairs = []
    for number in range(options.pairs):
        (seconds, found), (seconds_loop, expected) = ours(x, y), loop(x[:sample], y[:sample])
        np.testing.assert_allclose(found[:, :sample], expected, rtol=1e-3)
        pairs.append((seconds, seconds_loop * options.images / sample))
        print(f"pair {number + 1}: ours {pairs[-1][0]:.2f} s, loop {pairs[-1][1]:.2f} s", flush=True)
    ratios = sorted(of_loop / of_ours for of_ours, of_loop in pairs)
    result = {
        "what": "CPU seconds of a loop over scikit-image / ours, SSIM and PSNR of gray 64 x 64 images",
        "median_ratio": round(statistics.median(ratios), 2),
        "ratios": [round(ratio, 2) for ratio in ratios],
        "images": options.images,
        "images_timed_in_the_loop": sample,
        "seconds_ours": round(statistics.median(of_ours for of_ours, _ in pairs), 3),
        "seconds_loop": round(statistics.median(of_loop for _, of_loop in pairs), 3),
        "batch_size": BATCH,
        "torch": torch.__version__,
        "scikit_image": skimage.__version__,
        "threads": torch.get_num_threads(),
        "machine": platform.machine(),
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(f"median ratio {result['median_ratio']} (target 5); written to {RESULT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
