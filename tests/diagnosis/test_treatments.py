"""What is tried next, what is kept, and when there is an end: decided from numbers alone."""

import pytest
from cases import tags

from vaelab.diagnosis import treatments as treating
from vaelab.diagnosis.causes.table import CAUSES
from vaelab.diagnosis.engine import Diagnosis, Finding
from vaelab.diagnosis.prescription import Prescription
from vaelab.diagnosis.treatments import Treatments, Try
from vaelab.errors import InputError

LOWER = Prescription({"loss.beta": 0.2}, "gain", "higher", 0.25, "lower")
BITS = Prescription({"loss.free_bits": 0.05}, "gain", "higher", 0.25, "bits")
SHORTER = Prescription({"train.epochs": 5}, "overfit_share", "lower", 0.3, "shorter")


def finding(cause, severity="breaks", prescriptions=(LOWER, BITS), explains=()):
    return Finding(CAUSES[cause], severity, "sure", (), explains, prescriptions)


def diagnosis(*findings):
    return Diagnosis("some", findings, ())


def tried(changes, kept=False, seconds=10.0):
    return Try(
        "beta_too_high", "dvc ...", changes, "gain", "higher", 0.25, 0.01, 0.6, kept, "moved", seconds, "treat_a"
    )


@pytest.mark.parametrize(
    ("prescription", "before", "after", "kept", "said"),
    [
        (LOWER, 0.01, 0.30, True, "moved enough"),
        (LOWER, 0.01, 0.20, False, "moved too little"),
        (LOWER, 0.30, 0.01, False, "the wrong way"),
        (LOWER, 0.01, 0.01, False, "did not move"),
        (LOWER, None, 0.9, False, "unknown before"),
        (LOWER, 0.01, None, False, "unknown after"),
        (SHORTER, 0.9, 0.5, True, "moved enough"),
        (SHORTER, 0.5, 0.9, False, "the wrong way"),
    ],
)
def test_what_moved_its_number_by_the_least_change_is_kept(prescription, before, after, kept, said):
    found = treating.verdict(prescription, "breaks", before, after, [])
    assert (found[0], said in found[1]) == (kept, True)


@pytest.mark.parametrize(
    ("severity", "new", "kept"),
    [("breaks", "costs", True), ("breaks", "breaks", False), ("costs", "costs", False), ("costs", "note", True)],
)
def test_a_new_finding_that_is_no_less_severe_is_too_dear(severity, new, kept):
    assert treating.verdict(LOWER, severity, 0.01, 0.9, [finding("overfitting", new)])[0] == kept


def test_what_was_found_or_explained_before_is_not_new():
    before = diagnosis(finding("beta_too_high", explains=("detail_lost",)), finding("unfinished", "costs"))
    after = diagnosis(finding("detail_lost", "costs"), finding("unfinished", "costs"), finding("prior_hole", "note"))
    assert [one.cause.id for one in treating.new_findings(before, after)] == ["prior_hole"]


def test_the_next_one_is_the_first_that_was_not_tried_on_what_is_kept():
    found = diagnosis(finding("beta_too_high"), finding("overfitting", "costs", (SHORTER,)))
    assert treating.next_one(found, {}, [])[1] == LOWER
    assert treating.next_one(found, {}, [tried(LOWER.changes)])[1] == BITS
    assert treating.next_one(found, {}, [tried(LOWER.changes), tried(BITS.changes)])[1] == SHORTER
    kept = {"loss.beta": 0.2}
    assert treating.next_one(found, kept, [tried(kept, kept=True)])[1] == BITS
    assert treating.next_one(diagnosis(finding("prior_hole", "note")), {}, []) is None


def test_each_reason_to_stop():
    ill, done = diagnosis(finding("beta_too_high")), Treatments("some", "base", tries=(tried({}), tried({"a.b": 1})))
    assert treating.stop_of(ill, done, 3, 60, 30) == ""
    assert treating.stop_of(diagnosis(finding("prior_hole", "note")), done, 3, 60, None) == treating.HEALTHY
    assert treating.stop_of(ill, done, 3, 60, None) == treating.NOTHING_LEFT
    assert treating.stop_of(ill, done, 2, 60, 30) == treating.NO_TRIES
    assert treating.stop_of(ill, done, 3, 49, 30) == treating.NO_TIME
    assert treating.stop_of(ill, done, 3, 20, 0) == treating.NO_TIME


def test_the_base_of_the_next_try_is_the_last_one_that_was_kept():
    tries = (tried({"loss.beta": 0.2}, kept=True), tried({"loss.beta": 0.2, "train.epochs": 9}))
    assert Treatments("some", "base", tries=tries).changes == {"loss.beta": 0.2}
    assert Treatments("some", "base").changes == {}


def test_what_was_tried_is_read_back_and_shown_as_a_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = Treatments("some", "base", tries=(tried({"loss.beta": 0.2}, kept=True),), stopped=treating.HEALTHY)
    treating.write(done)
    treating.write(done._replace(random=True))
    assert treating.known() == [done, done._replace(random=True)]
    (row,) = treating.table(done)
    assert row == {
        "for": "beta_too_high", "tried": "dvc ...", "number": "gain", "before": "0.01", "after": "0.6",
        "asked": "+0.25", "verdict": "kept: moved", "seconds": "10",
    }  # fmt: skip


def test_a_collapsed_run_is_first_treated_by_its_weight_of_kl():
    from vaelab.diagnosis.engine import diagnose

    dead = tags(test__distortion=40.9, test__distortion_at_mean=40.9, run__effective_beta_measured=20.0)
    found, prescription = treating.next_one(diagnose(dead), {}, [])
    assert (found.cause.id, list(prescription.changes)) == ("beta_too_high", ["loss.beta"])


@pytest.mark.parametrize(
    "text", ["{", "[]", "3", '{"run": "some"}', '{"tries": [{"cause": "unstable"}]}', '{"tries": 3}']
)
def test_a_file_that_is_not_of_tries_is_said(tmp_path, text):
    path = tmp_path / "some.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"some\.json: not "):
        treating.read(path)
