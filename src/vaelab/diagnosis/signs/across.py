"""Signs that one run alone cannot have: a comparison reads them, and puts them into the case of the run to change."""

from vaelab.diagnosis.sign import Beyond, Sign


def _sign(name: str, title: str, limit: str | float, beyond: Beyond = "above") -> Sign:
    return Sign(name, title, limit, beyond, lambda case: case.beside.get(name))


RATE_RISE = _sign("rate_rise", "rate over that of a like run", "rate_rise")
AUC_FALL = _sign("auc_fall", "AUC of the residual that is lost against the like run", 0)
CONVENTIONS = _sign("conventions", "conventions among the runs on these data", 1)
BETA_FACTOR = _sign("beta_factor", "nats of effective β for each unit of β, over those of the other convention", 1)
SEED_SPREAD = _sign("seed_spread", "difference of the gain between seeds", "seed_spread")
SEEDS_BROKEN = _sign("seeds_broken", "seeds that a finding breaks, where others are not broken", 0)
OTHER_CHOICE = _sign("other_choice", "gain of average precision by another choice, on labelled val", 0)
OTHER_ON_TEST = _sign("other_on_test", "gain of average precision by another choice, on test", 0)
