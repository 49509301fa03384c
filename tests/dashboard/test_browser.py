"""The dashboard in a browser: clicked through as a user does; nothing is asked of another machine."""

import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from vaelab.dashboard.command import command_line
from vaelab.dashboard.frame import SHOWN

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
HERE = "http://127.0.0.1:"
SECONDS = 90 * 1000  # milliseconds, on a machine that does much else

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def address(made: Path) -> Iterator[str]:
    """A dashboard of the project."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    source = Path(__file__).resolve().parents[2] / "src"
    live = os.environ | {
        "PYTHONPATH": str(source),
        "OMP_NUM_THREADS": "1",
    }  # more threads than cores wait for each other
    server = subprocess.Popen(
        command_line(port), cwd=made, env=live, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{HERE}{port}/_stcore/health", timeout=5).close()
                break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.2)
        yield f"{HERE}{port}"
    finally:
        server.kill()  # that a signal ends it cleanly is tested in test_command.py
        server.wait(20)


@pytest.fixture(scope="module")
def page(address):
    """A page of a browser that notes what it asks for."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(SECONDS)
        page.asked = []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("websocket", lambda socket: page.asked.append(socket.url))
        yield page
        browser.close()


def rest(page) -> str:
    """Wait until the page is drawn; return its text, in which nothing went wrong."""
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.wait_for_timeout(300)
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    text = page.inner_text("body")
    assert "Traceback" not in text
    assert not page.locator("[data-testid=stException]").count()
    return text


def test_every_page_and_every_run_by_clicks(page, address):
    """Every page of one run, and one page of every kind of data: test_pages.py has each page of each run."""
    page.goto(address)
    assert "Recommended:" in rest(page)
    for run in ("cloth", "pictures", "puzzles", "rows"):
        page.get_by_role("combobox", name="Run").first.click()
        page.get_by_role("option", name=run, exact=True).click()
        for shown in SHOWN.values() if run == "cloth" else [SHOWN["samples"]]:
            page.get_by_role("link", name=shown.title, exact=True).click()
            page.wait_for_selector(f"[data-testid=stSidebarNavLink][aria-current=page] >> text={shown.title}")
            rest(page)
        assert f"run={run}" in page.url


def test_a_sample_is_chosen_and_compared(page, address):
    page.goto(f"{address}/samples?run=puzzles")
    rest(page)
    button = page.locator("[data-testid=stMain] button[kind=tertiary]").nth(4)
    number = button.inner_text().split(" ")[0]
    button.click()
    page.wait_for_selector(f"h3:has-text('Grid {number} of test')")
    assert "The same in other runs" in rest(page)
    assert all(one.get_attribute("alt") for one in page.locator("[data-testid=stImage] img").all())


def test_a_row_of_the_overview_opens_the_run(page, address):
    page.goto(address)
    rest(page)
    table = page.locator("[data-testid=stDataFrame]").first
    table.scroll_into_view_if_needed()
    box = table.bounding_box()
    page.mouse.click(box["x"] + 15, box["y"] + 52)  # the box of the first row
    page.wait_for_selector("h1:has-text('Run ')")
    rest(page)


def test_an_image_is_uploaded_and_judged(page, address, tmp_path):
    from PIL import Image

    Image.linear_gradient("L").save(tmp_path / "mine.png")
    page.goto(f"{address}/own_images?run=pictures")
    rest(page)
    page.locator("input[type=file]").set_input_files(str(tmp_path / "mine.png"))
    page.wait_for_selector("h3:has-text('Verdict')")
    assert "1 image of your files" in rest(page)


def test_the_threshold_is_dragged_in_the_plot(page, address):
    page.goto(f"{address}/defects?run=cloth")
    rest(page)
    page.wait_for_selector("[data-testid=stVegaLiteChart] :is(canvas, svg)")
    page.wait_for_timeout(500)

    def values():
        return page.locator("[data-testid=stSliderThumbValue]").inner_text(), flagged(rest(page))

    def flagged(text):
        return next(line for line in text.splitlines() if line.startswith("Drag the threshold"))

    start = values()
    box = page.locator("[data-testid=stVegaLiteChart] :is(canvas, svg)").first.bounding_box()
    x, y = box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"]
    page.mouse.click(x, y)
    page.wait_for_function(
        "old => document.querySelector('[data-testid=stSliderThumbValue]').innerText != old", arg=start[0]
    )
    clicked = values()
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(1, 11):
        page.mouse.move(x + step * 0.03 * box["width"], y)
    page.mouse.up()
    page.wait_for_function(
        "old => document.querySelector('[data-testid=stSliderThumbValue]').innerText != old", arg=clicked[0]
    )
    dragged = values()
    assert float(dragged[0]) > float(clicked[0])
    assert len({start[1], clicked[1], dragged[1]}) == 3


CUT_OFF = """() => [...document.querySelectorAll(
    '[data-testid=stMain], [data-testid=stButtonGroup], [data-testid=stMetricLabel], [data-testid=stMetricValue]')]
    .filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.innerText)"""


def test_nothing_is_cut_off(page, address):
    for place in ("?run=cloth", "run?run=puzzles", "samples?run=cloth", "defects?run=cloth", "latents?run=rows"):
        page.set_viewport_size({"width": 1280, "height": 900})
        page.goto(f"{address}/{place}")
        rest(page)
        assert page.evaluate(CUT_OFF) == [], place
        page.set_viewport_size({"width": 390, "height": 900})  # drawn once: a page takes seconds where much else runs
        page.wait_for_timeout(300)
        assert page.evaluate(CUT_OFF) == [], f"{place}, on a phone"
    page.set_viewport_size({"width": 1400, "height": 1000})


def test_the_keyboard_goes_from_pages_to_the_run_to_the_controls_of_the_page(page, address):
    page.goto(f"{address}/samples?run=cloth")
    rest(page)
    names = []
    for _ in range(40):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate(
                "() => {const a = document.activeElement; return a.getAttribute('aria-label') || a.innerText}"
            )
        )
    found = [next((n for n, name in enumerate(names) if wanted in (name or "")), None)
             for wanted in (*(shown.title for shown in SHOWN.values()), "Run", "test", "Measure", "worst")]  # fmt: skip
    assert None not in found, names
    assert found[:7] == sorted(found[:7])
    assert found[-3:] == sorted(found[-3:])
    assert "" not in [name.strip() for name in names if name is not None]


def test_nothing_was_asked_of_another_machine(page, address):
    assert page.asked
    allowed = (address, address.replace("http", "ws"), "data:", "blob:")
    assert [url for url in page.asked if not url.startswith(allowed)] == []
