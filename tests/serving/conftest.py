"""A project with a tiny run of each kind, which is only read."""

import pytest
from dashboards import make


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    return make(tmp_path_factory.mktemp("serving"), ("pictures", "puzzles", "rows", "cloth"))


@pytest.fixture
def project(made, monkeypatch):
    monkeypatch.chdir(made)
    monkeypatch.setenv("VAELAB_ACCELERATOR", "cpu")
    return made
