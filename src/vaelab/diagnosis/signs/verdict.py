"""What the user calls poor, `evaluate.verdict`, as evidence of causes: alone it accuses no run."""

from vaelab.diagnosis.case import Case
from vaelab.diagnosis.sign import Reading, Sign
from vaelab.metrics.tables import metric
from vaelab.params.base import has_effect
from vaelab.params.blocks import Evaluate, Limits

OF = {"extreme_share": {"beta_too_low"}, "psnr_group_gap": {"group_scarce", "group_shift"}}
RECONSTRUCTIONS = {"detail_lost", "worse_than_baseline"}  # whose causes all other limits are evidence of


def poor(case: Case, causes: set[str]) -> tuple[Sign, ...]:
    """Return a sign for each limit of the verdict, with the best baseline, that is evidence of one of some causes."""
    if not has_effect(Evaluate.model_fields["verdict"], case.kind):
        return ()
    limits = case.run.evaluate.verdict.items()
    return tuple(_sign(name, limit) for name, limit in limits if causes & OF.get(name, RECONSTRUCTIONS))


def _sign(name: str, limit: Limits) -> Sign:
    higher = limit.poor is not None and limit.good > limit.poor

    def read(case: Case) -> Reading | None:
        value = case.number(f"final.{name}")
        if value is None or limit.poor is None:
            return None
        floors = case.metrics[case.phase].get("floors", {})
        reached = {
            method: found for method in floors if (found := case.number(f"final.floors.{method}.{name}")) is not None
        }
        best = (max if higher else min)(reached, key=lambda method: reached[method], default=None)
        beside = "" if best is None else f"; baseline {best} {reached[best]:.3g}"
        return Reading(value, f"{case.source(f'final.{name}')}{beside}")

    title = f"{metric(name).full_title} (evaluate.verdict: poor)"
    return Sign(f"verdict_{name}", title, limit.poor or 0.0, "below" if higher else "above", read)
