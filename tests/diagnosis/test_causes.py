"""The table of causes: a graph without cycles, of known names, whose signs and prescriptions can be read."""

import pytest
from cases import defects, grid, image, tags

from vaelab.diagnosis.causes.table import CAUSES, LAYERS, SIGNS, explained_by, measured
from vaelab.diagnosis.explain import entry_text
from vaelab.params.diagnose import Diagnose
from vaelab.params.kinds import KINDS

CASES = {"tags": tags(), "image": defects(), "grid": grid()}


@pytest.mark.parametrize("cause", CAUSES.values(), ids=CAUSES)
def test_a_cause_explains_known_ones_and_never_itself(cause):
    assert {*cause.explains} <= CAUSES.keys()
    assert cause.id not in explained_by(cause, CAUSES)
    assert {*cause.kinds} <= KINDS.keys()


def test_ids_are_unique_over_the_layers():
    assert len(CAUSES) == sum(len(causes) for causes in LAYERS.values())


def test_a_name_of_a_sign_is_of_one_sign():
    signs = [
        sign
        for cause in CAUSES.values()
        for sign in (*(sign for rule in cause.rules for sign in rule.signs), *cause.symptoms)
    ]
    assert len({sign.name for sign in signs}) == len({id(sign) for sign in signs})


def test_every_limit_is_an_option_and_every_option_a_limit():
    used = {sign.limit for sign in SIGNS.values() if isinstance(sign.limit, str)}
    assert used == Diagnose.model_fields.keys()


@pytest.mark.parametrize("kind", CASES)
def test_what_a_prescription_names_is_measured(kind):
    case = CASES[kind]
    for cause in (cause for cause in CAUSES.values() if cause.is_of(kind)):
        for prescription in (found for write in cause.prescriptions if (found := write(case)) is not None):
            known = measured(case, prescription.metric) is not None
            assert known or prescription.metric in SIGNS or prescription.metric.startswith("threshold."), prescription
            assert prescription.least > 0
            assert prescription.record(case)["command"].startswith("dvc exp run -S ")


@pytest.mark.parametrize("cause", CAUSES.values(), ids=CAUSES)
def test_each_cause_is_explained(cause):
    text = " ".join(entry_text(cause).split())
    assert cause.meaning in text
    assert all(sign.title in text for rule in cause.rules for sign in rule.signs)


def test_limits_are_read_from_the_run():
    case = image()
    strict = case.run.model_copy(update={"diagnose": Diagnose(poor_gain=1.0, dead_gain=0.9)})
    sign = SIGNS["gain"]
    assert sign(case).limit == 0.15
    assert sign(case._replace(run=strict)).limit == 0.9
