"""A working folder with tiny data of each kind."""

import pytest
from helpers import write_grids, write_images, write_tags


@pytest.fixture
def in_a_folder_with_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_grids(tmp_path / "grid", 24, 8, 8, seed=0)
    write_images(tmp_path / "image", 24, 8, 8, seed=0)
    write_tags(tmp_path / "tags", 24, 8, 8, seed=0)
    return tmp_path
