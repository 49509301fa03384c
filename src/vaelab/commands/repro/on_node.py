"""What a machine of a cluster does for one run: the task."""

import signal
from collections.abc import Mapping
from typing import Any

from vaelab.commands.own_python import prefer_own_programs
from vaelab.commands.repro.board import Lines
from vaelab.commands.repro.elsewhere import Project, in_copy
from vaelab.commands.repro.ended import Ended
from vaelab.commands.repro.lanes import followed
from vaelab.commands.repro.machines import UnfitError, check_folders, check_versions, full_disk
from vaelab.errors import end_with_parent


def task(run: str, turn: int, project: Project, environment: Mapping[str, str], said: Any) -> tuple[Ended, str]:
    """Do the stages of a run, which was given to so many nodes before; return how they ended, and this node's id."""
    import ray

    # without its node a task waits a minute for the cluster; what it has begun follows it
    end_with_parent(signal.SIGKILL)
    prefer_own_programs()
    node_id = ray.get_runtime_context().get_node_id()
    node = f"{ray.util.get_node_ip_address()}/{node_id[:6]}"
    said.say.remote(run, "node", f"{turn} {node}")
    lines = Lines(lambda text: said.say.remote(run, "line", text))
    full: list[str] = []  # what was said of a full disk

    def heard(line: str) -> None:
        full.extend(filter(None, [full_disk(line)]))
        lines.hear(line)

    try:
        check_versions(dict(project.versions))
        if not project.remote:
            check_folders(project.cache)
        with in_copy(run, project, environment) as process:
            ended = followed(run, process, lambda stage: said.say.remote(run, "stage", stage), heard)
    except UnfitError as error:
        ended = Ended(run, 1, "", 0.0, unfit=str(error))
        lines.hear(f"{error}\n")
    lines.send()
    if ended.code and full:
        ended = ended._replace(unfit=full[-1])
    return ended._replace(node=node), node_id
