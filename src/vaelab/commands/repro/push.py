"""What stages have made, to DVC's default remote: python -m vaelab.commands.repro.push STAGE...

`dvc push --run-cache` leaves out files of `cache: false`, without which the record of a stage serves nobody.
"""

import sys
from typing import Any

from vaelab.errors import InputError, exit_on_input_error


def push() -> None:
    """Push the outputs of the stages that were done in this folder, then what gave what.

    Raises:
        InputError: the remote does not take them.
    """
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        with Repo() as repo:
            done = repo.cloud.push({one for stage in _named(repo, sys.argv[1:]) for one in _objects(stage)})
            if done.failed:
                raise InputError(f"the remote has not taken {len(done.failed)} files of {', '.join(sys.argv[1:])}")
            repo.stage_cache.push(None)
    except DvcException as error:
        raise InputError(f"dvc push: {error}") from error


def _named(repo: Any, names: list[str]) -> list[Any]:
    """The stages of these names, or of groups of these names."""
    return [stage for stage in repo.index.stages if {stage.addressing, stage.addressing.partition("@")[0]} & {*names}]


def _objects(stage: Any) -> set[Any]:
    found = {out.hash_info for out in stage.outs if out.hash_info and not out.use_cache}
    for used in stage.get_used_objs().values():
        found |= used
    return found


if __name__ == "__main__":
    exit_on_input_error(push)
