"""What makes the suite fast: one thread a process, no garbage among what was imported, long files first."""

import functools
import gc
import importlib.metadata
import os

import pytest

# two workers share the cores already; read when torch and NumPy are imported, and by what tests start
os.environ.setdefault("OMP_NUM_THREADS", "1")
# each training in this process would look through all packages for plug-ins of Fabric
importlib.metadata.entry_points = functools.cache(importlib.metadata.entry_points)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first, so that no worker begins with one when the other has ended."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """A million objects of torch and others are not walked over again and again."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    gc.unfreeze()
