"""Temporary: old names, until the branches are merged."""

# ruff: noqa
# mypy: ignore-errors
from vaelab.metrics.tables import *
from vaelab.metrics.tables import METRICS as _M, TABLES, held_out as ceiling
from vaelab.metrics.nested import HELD_OUT as CEILING
from vaelab.metrics.records import DEFECT_BASELINES as DEFECT_FLOORS
from vaelab.metrics.records import DEFECT_BASELINES as DEFECT_FLOORS, BASELINES

CAPTIONS = {
    "grid": ("accuracy", "accuracy {:.2f}"),
    "image": ("psnr", "{:.1f} dB"),
    "tags": ("jaccard_index", "Jaccard {:.2f}"),
}
FLOORS = {k: {t: f"floor_{n}_" for n, t in v.items()} for k, v in BASELINES.items()}


class _T(dict):
    def __getitem__(self, n):
        class R:
            title = _M[n].full_title

        return R


METRICS = _T(_M)
