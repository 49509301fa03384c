"""Archives are unpacked into their folder and nowhere else, with every Python."""

import io
import tarfile

import pytest

from vaelab.commands.tars import extract


@pytest.mark.parametrize("has_filter", [True, False])
def test_nothing_is_written_outside_of_the_folder(tmp_path, monkeypatch, has_filter):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name in ("in/a.txt", "../b.txt"):
            entry = tarfile.TarInfo(name)
            entry.size = 1
            archive.addfile(entry, io.BytesIO(b"x"))
    if not has_filter:
        monkeypatch.delattr(tarfile, "data_filter", raising=False)
    data.seek(0)
    place = tmp_path / "place"
    place.mkdir()
    with tarfile.open(fileobj=data) as archive:
        try:
            extract(archive, place)
        except tarfile.TarError:
            assert has_filter  # refuses all of it
    assert (place / "in" / "a.txt").read_text() == "x"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["place"]
