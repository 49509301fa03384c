"""docs/scaling.md: what several machines trained, the hub restores."""

from pathlib import Path

import pytest
from projects import TAGS, call, make_project, started, vaelab

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs/scaling.md").read_text(encoding="utf-8")
RUNS = ("narrow", "wide")

pytestmark = pytest.mark.slow


def on_the_page(command: str) -> tuple[str, ...]:
    """A command of the page, in words: the page is what the tests follow."""
    assert command in PAGE
    return tuple(command.split())


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """A project with raw data, two runs and a shared cache, where nothing was run."""
    folder = make_project(tmp_path_factory.mktemp("hub"), TAGS | {"runs": TAGS["suites"]["sizes"]}, pictures=False)
    words = on_the_page("dvc cache dir --local /shared/dvc-cache")
    call(folder, *words[:-1], str(tmp_path_factory.mktemp("cache")))
    (folder / "data/raw/notes.txt").write_text("raw data that git does not have")
    call(folder, "dvc", "add", "-q", "data/raw/notes.txt")
    call(folder, "git", "add", "-A")
    call(folder, "git", "commit", "-qm", "raw data")
    return folder


@pytest.fixture(scope="module")
def trained(hub):
    """What each of two machines printed, each with a clone of its own."""
    words = on_the_page("vaelab run-one 0")[1:-1]
    return [vaelab(hub, *words, str(number)) for number in range(len(RUNS))]


def test_each_machine_trains_its_run_alone(trained):
    assert [started(output, "train") for output in trained] == [[f"train@{run}"] for run in RUNS]


def test_the_hub_restores_everything_and_trains_nothing(hub, trained):
    assert not (hub / "models").exists()
    output = call(hub, *on_the_page("dvc repro -k"))
    assert started(output) == ["resolve", "compare"]
    assert output.count("is cached - skipping run, checking out outputs") == 1 + 5 * len(RUNS)
    for run in RUNS:
        assert (hub / f"models/{run}/model.safetensors").stat().st_size > 0
        assert (hub / f"metrics/headline/{run}.json").stat().st_size > 0
    assert all(run in (hub / "metrics/comparison_report.txt").read_text() for run in RUNS)
