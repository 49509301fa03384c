"""What a machine checks before it works for another."""

import re

import pytest

from vaelab.commands.repro.elsewhere import check_versions, versions
from vaelab.errors import InputError


def test_a_machine_with_other_versions_is_named():
    same = dict(versions())
    check_versions(same, "10.0.0.3")
    with pytest.raises(InputError, match=rf"node 10\.0\.0\.3: torch {re.escape(same['torch'])}, expected 1\.0: "):
        check_versions(same | {"torch": "1.0"}, "10.0.0.3")
