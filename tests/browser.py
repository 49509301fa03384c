"""Chromium without a screen, which reaches this machine alone; where it is missing tests are skipped, with a notice."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
LOCAL = ("http://127.0.0.1:", "ws://127.0.0.1:", "http://localhost:", "ws://localhost:", "data:", "blob:", "about:")


@contextmanager
def opened(width: int = 1280, height: int = 800) -> Iterator[tuple[Any, list[str]]]:
    """Yield an empty page, and the list of what it asked other machines for."""
    if shutil.which(CHROMIUM) is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page, foreign = browser.new_page(viewport={"width": width, "height": height}), []
        page.on("request", lambda request: None if request.url.startswith(LOCAL) else foreign.append(request.url))
        yield page, foreign
        browser.close()
