"""How the metrics of a phase lie in metrics/evaluate/<run>.json: flat, but for what belongs to another method.

    {"psnr": …, "ablations": {"shuffled_z": {"psnr": …}}, "floors": {"pca": {"psnr": …}}, "sampled": {"psnr": …}}

`sampled` holds the model's own measures with one z drawn from each posterior, in place of the posterior mean, `unseen`
those of the rows of tags that training has not seen. `floors`
holds the baselines of reconstruction, `sample_floors` those of samples, `defect_floors` those of anomaly scores, which
stage threshold measures; `group_floors` what baselines of reconstruction reach on each group, by group and then method.
"""

from collections.abc import Mapping
from typing import Any

ABLATIONS, FLOORS, SAMPLE_FLOORS, DEFECT_FLOORS = "ablations", "floors", "sample_floors", "defect_floors"
GROUP_FLOORS = "group_floors"  # by group, method and metric: in no flat table
SAMPLED = "sampled"  # of one z drawn from each posterior; a mapping of metrics, for there is one method
UNSEEN = "unseen"  # of rows that no row of training equals; likewise
ALONE = (UNSEEN, SAMPLED)  # their names are before those of metrics, in flat tables last
HELD_OUT = "real_"  # before what held-out data reach on measures of samples: the best that can be expected
REFERENCE = "references"  # what is no baseline, since it has no bottleneck
PREFIXES = {
    ABLATIONS: "", REFERENCE: "reference_", FLOORS: "floor_", SAMPLE_FLOORS: "floor_", DEFECT_FLOORS: "floor_score_",
}  # fmt: skip

Metrics = Mapping[str, Any]  # of one phase


def flat(metrics: Metrics) -> dict[str, Any]:
    """Return the metrics of a phase under the names that they have as columns of comparison.csv, in their order."""
    found: dict[str, Any] = {}
    for key, value in metrics.items():
        if key not in PREFIXES:
            found |= {} if key in (*ALONE, GROUP_FLOORS) else {key: value}
            continue
        for method, values in value.items():
            found |= {f"{PREFIXES[key]}{method}_{name}": number for name, number in values.items()}
    for key in ALONE:
        found |= {f"{key}_{name}": number for name, number in metrics.get(key, {}).items()}
    return found


def misshapen(phases: Mapping[str, Any]) -> str | None:
    """Return the place of the first group of methods that is no mapping of mappings; None where all are."""
    for phase, metrics in phases.items():
        for key in ALONE:
            if not isinstance(metrics.get(key, {}), Mapping):
                return f"{phase}.{key}"
        for key in PREFIXES.keys() & metrics.keys():
            methods = metrics[key]
            if not isinstance(methods, Mapping) or not all(isinstance(value, Mapping) for value in methods.values()):
                return f"{phase}.{key}"
    return None


def baselines(metrics: Metrics) -> dict[str, dict[str, Any]]:
    """Return what each trivial method reaches, by its name, of a phase."""
    found: dict[str, dict[str, Any]] = {}
    for key in (FLOORS, SAMPLE_FLOORS, DEFECT_FLOORS):
        for method, values in metrics.get(key, {}).items():
            found[method] = {**found.get(method, {}), **values}
    return found
