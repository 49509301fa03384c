"""`vaelab score`: the table of a folder is what threshold says of the same images; what is damaged is said."""

import csv
import sys

import numpy as np
import pytest
from PIL import Image
from stored import stored

import vaelab
from vaelab import artifacts, cli
from vaelab.data.format.info import Preparation
from vaelab.errors import InputError
from vaelab.serving import folder
from vaelab.serving.folder import score_folder


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def pictures(project, tmp_path):
    """The images of the phase of defects, in a folder for each group."""
    split = stored(artifacts.prepared("cloth"), "defects")
    for number, (x, group) in enumerate(zip(split["x"], split["group"], strict=True)):
        path = tmp_path / "pictures" / ("linen", "wool")[group] / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(x[0]).save(path)
    return tmp_path / "pictures"


def scored(*words):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["vaelab", "score", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    return ended.value.code


def test_a_folder_is_scored_as_its_images_were_in_the_pipeline(pictures, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(folder, "AT_ONCE", 4)
    (pictures / "wool/broken.png").write_text("no")
    out, maps = tmp_path / "out/results.csv", tmp_path / "maps"
    assert scored("cloth", pictures, "--out", out, "--maps", maps) == 3
    said = capsys.readouterr()
    with (artifacts.thresholds("cloth") / "examples.csv").open() as file:
        expected = {int(row["id"]): row for row in csv.DictReader(file) if row["phase"] == "defects"}
    rows = table(out)
    assert len(rows) == len(expected) + 1
    for row in rows[:-1]:
        known = expected[int(row["file"][-6:-4])]
        assert (row["group"], row["flagged"]) == (known["group"], known["flagged"])
        assert float(row["score"]) == pytest.approx(float(known["combined"]), abs=1e-4)
        assert bool(row["map"]) == (row["flagged"] == "1")
    assert rows[-1]["file"] == "wool/broken.png"
    assert "not an image" in rows[-1]["error"]
    assert sorted(path.name for path in maps.iterdir()) == sorted(row["map"] for row in rows if row["map"])
    assert "not scored: wool/broken.png: not an image" in said.err
    assert "1 could not be read" in said.out


def test_groups_are_named_by_folders_or_for_all(pictures, tmp_path):
    out = tmp_path / "one.csv"
    with pytest.raises(InputError, match=r"of which group is 'all'.*linen, wool: name sub-folders so, or give --group"):
        score_folder(vaelab.load("cloth"), str(pictures / "wool"), out)
    with pytest.raises(InputError, match=r"--group silk: .*known: linen, wool"):
        score_folder(vaelab.load("cloth"), str(pictures), out, group="silk")
    assert not out.exists()
    written = score_folder(vaelab.load("cloth"), str(pictures / "wool"), out, group="wool")
    assert written.pictures == len(table(out)) == 9
    flagged = [row["flagged"] for row in table(out)].count("1")
    assert (written.flagged, scored("cloth", pictures, "--out", out, "--fail-flagged")) == (flagged, 1)


def test_tiles_of_a_page_are_one_row_with_the_worst_of_them(pictures, tmp_path):
    """Its map is as large as its tiles together."""
    model = vaelab.load("cloth")
    model.detector.info = model.info.__class__(**{**vars(model.info), "preparation": Preparation(fit="tile")})
    model.seen = model.detector.info
    x = stored(artifacts.prepared("cloth"), "defects")["x"][:6, 0]
    page = tmp_path / "pages/wool/page.png"
    page.parent.mkdir(parents=True)
    Image.fromarray(np.concatenate([np.concatenate(x[:3], 1), np.concatenate(x[3:], 1)])).save(page)
    written = score_folder(model, str(page.parents[1]), tmp_path / "pages.csv", tmp_path / "maps")
    (row,) = table(tmp_path / "pages.csv")
    each = model.score(x, "wool", np.zeros(6))
    worst = int(each.score.argmax())
    assert written.pictures == 1
    assert (row["examples"], int(row["examples_flagged"])) == ("6", int(each.flagged.sum()))
    assert float(row["score"]) == pytest.approx(each.score[worst], abs=1e-4)
    assert (int(row["top"]), int(row["left"])) == (worst // 3 * 16, worst % 3 * 16)
    if row["map"]:
        with Image.open(tmp_path / "maps" / row["map"]) as drawn:
            assert drawn.size == (48, 32)


def test_nothing_usable_leaves_no_table(project, tmp_path):
    (tmp_path / "wool").mkdir()
    (tmp_path / "wool/a.png").write_text("no")
    with pytest.raises(InputError, match=r"nothing in it can be used:\n  wool/a.png: not an image"):
        score_folder(vaelab.load("cloth"), str(tmp_path), tmp_path / "out.csv")
    with pytest.raises(InputError, match=r"expected the name of a file that ends in .csv"):
        score_folder(vaelab.load("cloth"), str(tmp_path), tmp_path / "out.txt")
    (tmp_path / "d.csv").mkdir()
    with pytest.raises(InputError, match=r"expected the name of a file"):
        score_folder(vaelab.load("cloth"), str(tmp_path), tmp_path / "d.csv")
    assert not (tmp_path / "out.csv").exists()
