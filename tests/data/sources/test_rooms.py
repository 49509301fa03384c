"""Each room of sources knows itself and what lies above the rooms, and has a record of its own."""

import importlib
import pkgutil

import grimp
import pytest

from vaelab.data import sources
from vaelab.data.sources import SOURCES

NAMES = [module.name for module in pkgutil.iter_modules(sources.__path__) if module.ispkg]
ROOMS = {name: importlib.import_module(f"{sources.__name__}.{name}") for name in NAMES}


@pytest.mark.parametrize("room", ROOMS)
def test_no_room_imports_from_another(room):
    graph = grimp.build_graph("vaelab", cache_dir=None)
    own = f"{sources.__name__}.{room}"
    modules = {own, *graph.find_descendants(own)}
    imported = set().union(*(graph.find_modules_directly_imported_by(module) for module in modules))
    others = {f"{sources.__name__}.{other}" for other in ROOMS if other != room}
    assert not {module for module in imported if any(f"{module}.".startswith(f"{other}.") for other in others)}


def test_every_room_is_in_the_record_and_no_source_twice():
    assert sum(len(room.SOURCES) for room in ROOMS.values()) == len(SOURCES)
    assert len(ROOMS) >= 5
