"""From measures of single images to numbers of a split and of its groups. Definitions: docs/metrics/image.md.

N images. A measure that is undefined for an image is NaN there and does not count.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from vaelab.evaluation.groups import metric_keys

SPREAD = ("psnr", "ssim")  # with standard deviation, minimum and 5th percentile, too
GROUPED = ("psnr", "ssim", "sharpness_ratio")  # with a mean for each group, too


def over_examples(values: Mapping[str, Tensor], group: Tensor, names: Sequence[str]) -> dict[str, float]:
    """Return the mean of each measure, the spread of some, and how they differ between groups.

    Args:
        values: measures by name, [N] each.
        group: int [N], index into `names`.
        names: of the groups; one for data without groups. A group without an image here is NaN.
    """
    values = {name: value.double() for name, value in values.items()}
    result = {name: float(value.nanmean()) for name, value in values.items()}
    for name in SPREAD:
        if name in values:
            result |= _spread(name, values[name])
    if "sharpness_ratio" in values:  # of nearly flat images it is huge: a few carry its mean away
        result["sharpness_ratio_median"] = float(values["sharpness_ratio"].nanquantile(0.5))
    return result | _groups(values, group, metric_keys(names))


def _spread(name: str, value: Tensor) -> dict[str, float]:
    return {
        f"{name}_std": float((value - value.nanmean()).square().nanmean().sqrt()),
        f"{name}_min": float(value.nanquantile(0.0)),
        f"{name}_p05": float(value.nanquantile(0.05)),
    }


def _groups(values: Mapping[str, Tensor], group: Tensor, keys: Sequence[str]) -> dict[str, float]:
    """Means by group, and of PSNR the worst group, its number and its distance to the best."""
    result: dict[str, float] = {}
    members = [group == number for number in range(len(keys))]
    for name in GROUPED:
        if name in values:
            means = [float(values[name][member].nanmean()) for member in members]
            result |= {f"{name}_group_{key}": mean for key, mean in zip(keys, means, strict=True)}
    if "psnr" in values:
        psnr = torch.tensor([result[f"psnr_group_{key}"] for key in keys], dtype=torch.float64)
        worst, best = (float(psnr.nanquantile(q)) for q in (0.0, 1.0))
        number = float("nan") if psnr.isnan().all() else int(psnr.nan_to_num(torch.inf).argmin())
        result |= {"worst_group_psnr": worst, "psnr_group_gap": best - worst, "worst_group": number}
    return result
