"""Seconds that the dashboard takes to its first paint and for a click, in Chromium: python ... PROJECT.

PROJECT is a folder that dashboard_project.py filled. Beside the wall clock, CPU seconds of the server, which is what
an idle machine would show: the work of a click is done by one thread.
"""

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

import psutil
from playwright.sync_api import sync_playwright

from vaelab.dashboard.command import command_line

PORT = 8765
SETTLES = 300  # milliseconds in which an action reaches the server, counted in the wall clock
READY = "[data-testid=stApp][data-test-script-state=notRunning]"


def main() -> None:
    """Measure, and print a row for each action."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    start = time.monotonic()
    server = subprocess.Popen(command_line(PORT), cwd=sys.argv[1], env=environment, stdout=subprocess.DEVNULL)
    used = psutil.Process(server.pid)
    try:
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/_stcore/health", timeout=5).close()
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.05)
        print(f"{'the server answers':<42}{time.monotonic() - start:6.2f} s wall {cpu(used):6.2f} s CPU", flush=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1400, "height": 1000})
            page.set_default_timeout(120_000)
            clicks(page, used)
            browser.close()
        print(f"memory of the server: {used.memory_info().rss / 2**20:.0f} MiB")
    finally:
        server.terminate()
        server.wait(20)


def cpu(process: psutil.Process) -> float:
    """CPU seconds of a process so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def clicks(page: Any, used: psutil.Process) -> None:
    """Open each page of both runs, and act on it as a user does."""

    def timed(what: str, act: Callable[[], Any], whole: bool = True) -> None:
        before, start = cpu(used), time.monotonic()
        act()
        if whole:
            page.wait_for_timeout(SETTLES)
            page.wait_for_selector(READY)
        print(f"{what:<42}{time.monotonic() - start:6.2f} s wall {cpu(used) - before:6.2f} s CPU", flush=True)

    def first() -> None:
        page.goto(f"http://127.0.0.1:{PORT}/?run=many_rows")
        page.wait_for_selector("h1")

    timed("first paint: title and choice of runs", first, whole=False)
    timed("the rest of the overview", page.bring_to_front)
    for run in ("many_rows", "many_images"):
        if run != "many_rows":
            page.goto(f"http://127.0.0.1:{PORT}/?run={run}")
            page.wait_for_selector(READY)
        for title in ("Run", "Samples", "Batch", "Latents", "Your images", "Overview"):
            timed(
                f"{run}: {title}, first time",
                lambda title=title: page.get_by_role("link", name=title, exact=True).click(),
            )
        for title in ("Samples", "Batch", "Latents", "Overview"):
            timed(f"{run}: {title} again", lambda title=title: page.get_by_role("link", name=title, exact=True).click())
        page.get_by_role("link", name="Samples", exact=True).click()
        page.wait_for_selector(READY)
        for label in ("train", "best"):
            timed(f"{run}: samples, {label}", page.get_by_role("radio", name=label, exact=True).click)
        for number in (3, 7):
            button = page.locator("[data-testid=stMain] button[kind=tertiary]").nth(number)
            timed(f"{run}: a sample is clicked", button.click)


if __name__ == "__main__":
    main()
