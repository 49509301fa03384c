"""Outputs of many stages from the cache, their names on standard input: python -m vaelab.commands.repro.checkout.

`dvc checkout STAGE...` reads params.yaml, dvc.yaml and dvc.lock again for each stage.
"""

import sys


def checkout(names: set[str]) -> None:
    """Check out the outputs of stages; what the cache does not have is left out."""
    from dvc.repo import Repo

    with Repo() as repo, repo.lock:
        for stage in repo.index.stages:
            if stage.addressing in names:
                stage.checkout(force=True, allow_missing=True)


if __name__ == "__main__":
    checkout(set(sys.stdin.read().split()))
