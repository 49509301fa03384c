"""What baselines reach on each group of the data, beside the model's own numbers by group. N examples."""

import re
from collections.abc import Mapping, Sequence

from torch import Tensor

Columns = Mapping[str, Tensor]  # a measure by name, of each example [N]


def metric_keys(names: Sequence[str]) -> list[str]:
    """Return names of groups as parts of metric names, [a-z0-9_] and unique: "Form A" becomes form_a."""
    keys: list[str] = []
    for number, name in enumerate(names):
        key = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or str(number)
        while key in (*keys, "gap"):  # psnr_group_gap is something else
            key += f"_{number}"
        keys.append(key)
    return keys


def group_floors(
    methods: Mapping[str, Columns], measure: str, group: Tensor, names: Sequence[str]
) -> dict[str, dict[str, dict[str, float]]]:
    """Return by group, then by method, the mean of one measure over the examples that have it.

    Args:
        methods: what each method reaches; one without the measure is left out.
        measure: its name.
        group: int [N], index into `names`; a group without an example here is left out.
        names: of the groups; with a single one there is nothing to say.
    """
    found: dict[str, dict[str, dict[str, float]]] = {}
    for number, key in enumerate(metric_keys(names) if len(names) > 1 else ()):
        members = group == number
        if members.any():
            found[key] = {
                method: {measure: float(columns[measure][members].double().nanmean())}
                for method, columns in methods.items()
                if measure in columns
            }
    return found
