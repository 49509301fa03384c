"""What a machine checks before it works for another."""

import re

import pytest

from vaelab.commands.repro.machines import UnfitError, check_folders, check_versions, versions


def test_a_machine_with_other_versions_says_which():
    same = dict(versions())
    check_versions(same)
    with pytest.raises(UnfitError, match=rf"^torch {re.escape(same['torch'])}, expected 1\.0: "):
        check_versions(same | {"torch": "1.0"})


def test_a_machine_that_does_not_reach_the_cache_makes_none(tmp_path):
    check_folders(str(tmp_path))
    with pytest.raises(UnfitError, match=r"cache: no such folder; expected DVC's cache"):
        check_folders(str(tmp_path / "cache"))
    assert not (tmp_path / "cache").exists()
