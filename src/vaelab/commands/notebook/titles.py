"""What measures are called in a notebook: as in the report. Free of torch."""

import pandas as pd

from vaelab.metrics.tables import METRICS, metric

AT_MEAN = "_at_mean"  # ends the name of a measure of the posterior mean that is saved of drawn z
SCORE = "anomaly_score"


def title(name: str) -> str:
    """Return title and unit of a measure of one example; a column that is no measure keeps its name."""
    if name == SCORE:
        return "anomaly score, calibrated"
    if name.endswith(AT_MEAN) and name not in METRICS:
        return f"{title(name.removesuffix(AT_MEAN))}, at the posterior mean"
    try:
        full = metric(name).full_title
    except KeyError:
        return name
    return f"{full} of each grid" if f"grid_{name}" in METRICS else full  # whose mean is another metric


def titled(table: pd.DataFrame, turned: bool = True) -> pd.DataFrame:
    """Return a table of examples with titles for the measures that there are; turned round, each measure is a row."""
    found = table.drop(columns=["cluster"], errors="ignore").dropna(axis=1, how="all").rename(columns=title)
    return found.T if turned else found
