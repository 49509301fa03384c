"""What was tried on a run stands in the report, and nothing of runs that are not compared."""

from comparisons import result

from vaelab.comparison.treated import treated
from vaelab.diagnosis import treatments as treating
from vaelab.diagnosis.treatments import Treatments, Try


def tried(experiment):
    values = ("gain", "higher", 0.25, 0.01, 0.89, True, "moved enough", 31.0, experiment)
    return Try("beta_too_high", "dvc exp run --temp -S ++runs.a.loss.beta=0.2", {"loss.beta": 0.2}, *values)


def test_what_was_tried_has_a_line_and_a_table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runs = [result("a")]
    assert treated(runs, "text") == []
    treating.write(Treatments("a", "base", tries=(tried("treat_a_1"),), stopped=treating.HEALTHY))
    treating.write(Treatments("b", "base", tries=(tried("treat_b_1"),)))
    for style in ("text", "markdown"):
        line, table = treated(runs, style)
        assert line == "a, what its diagnosis prescribes: 1 tried, 1 kept, 31 s; stopped, healthy."
        assert "kept: moved enough" in table
        assert "0.89" in table
