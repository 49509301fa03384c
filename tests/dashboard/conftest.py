"""The project that the tests of the dashboard look at, made once."""

import pytest
import streamlit as st
from dashboards import make


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    return make(tmp_path_factory.mktemp("dashboard"))


@pytest.fixture
def project(made, monkeypatch):
    """The project, which nothing may be written into."""
    monkeypatch.chdir(made)
    yield made
    st.cache_data.clear()
    st.cache_resource.clear()
