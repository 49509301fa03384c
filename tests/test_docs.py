"""The pages name no file, function, option or link that is not there, and define every metric once."""

import ast
import re
from pathlib import Path

import pytest

import vaelab
from vaelab.metrics.tables import METRICS
from vaelab.params import loss, schema

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXTS = {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in PAGES}
DEFINITIONS = {name: text for name, text in TEXTS.items() if name.startswith("docs/metrics/")}
FOLDERS = ("src", "tests", "stages", "benchmarks")
MADE = {*re.findall(r"^# (\S+\.\w+)$", TEXTS["docs/extending.md"], re.MULTILINE)}  # by who follows that page
NAMED = {path.name for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")} | {Path(path).name for path in MADE}

LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)  # a page that it makes has links of its own
PATH = re.compile(r"(?<![\w./-])(?:src|tests|docs|stages|benchmarks|\.dvc)/[\w./-]*\w")
TEST = re.compile(r"`((?!tests/)(?:\w+/)*test_\w+\.py)`")
FILE = re.compile(r"(?<![\w/*])\w+\.py\b")
DOTTED = re.compile(r"`([a-z_]+(?:\.\w+)+)`")
FILES = (".csv", ".json", ".md", ".npy", ".safetensors", ".txt", ".yaml")  # what looks dotted, too
BOLD = re.compile(r"\*\*`([^`]+)`\*\*")
OPTIONS = {
    **{name: field.annotation.model_fields for name, field in schema.Options.model_fields.items()},
    "compare": schema.Compare.model_fields,
    "loss.terms": loss.Terms.model_fields,
}


def dotted(page: str) -> list[str]:
    """Functions, options and the like that a page names."""
    return [name for name in DOTTED.findall(TEXTS[page]) if not name.endswith(FILES)]


def is_there(path: str) -> bool:
    return path in MADE or (ROOT / path).exists()


def anchors(text: str) -> set[str]:
    """Anchors of the headings of a page, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", CODE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def is_defined(name: str) -> bool:
    """Whether a dotted path below src/vaelab leads to a package, a module, or something that a module defines."""
    if name == "lock":  # vaelab.lock, a file of projects
        return True
    place, parts = ROOT / "src/vaelab", name.split(".")
    while parts and (place / parts[0]).is_dir():
        place /= parts.pop(0)
    if not parts:
        return True
    module = place / f"{parts[0]}.py"
    if not module.is_file():
        return False
    body: list[ast.stmt] = ast.parse(module.read_text(encoding="utf-8")).body
    for part in parts[1:]:
        found = next((node for node in body if part in names_of(node)), None)
        if found is None:
            return False
        body = getattr(found, "body", [])
    return True


def names_of(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


@pytest.mark.parametrize("page", TEXTS)
def test_links_lead_somewhere(page):
    for link in LINK.findall(CODE.sub("", TEXTS[page])):
        if link.startswith(("http://", "https://")):
            continue
        file, _, anchor = link.partition("#")
        target = ((ROOT / page).parent / file).resolve() if file else ROOT / page
        assert target.exists(), f"{page}: {link}"
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), f"{page}: {link}"


@pytest.mark.parametrize("page", TEXTS)
def test_files_that_are_named_are_there(page):
    paths = PATH.findall(TEXTS[page]) + [f"tests/{path}" for path in TEST.findall(TEXTS[page])]
    assert [path for path in paths if not is_there(path)] == []
    assert {name for name in FILE.findall(TEXTS[page]) if name not in NAMED} == set()


@pytest.mark.parametrize("page", TEXTS)
def test_modules_that_are_named_are_there(page):
    made = {path.removeprefix("src/vaelab/").removesuffix(".py").removesuffix("/__init__") for path in MADE}
    named = {name[1:] for name in re.findall(r"\bvaelab((?:\.\w+)+)", TEXTS[page])}
    named -= set(vaelab._LAZY)
    assert {name for name in named if name.replace(".", "/") not in made and not is_defined(name)} == set()


@pytest.mark.parametrize("page", DEFINITIONS)
def test_functions_of_metrics_are_there(page):
    rooms = {path.stem for path in (ROOT / "src/vaelab").iterdir() if not path.name.startswith("_")}
    named = {name for name in dotted(page) if name.split(".")[0] in rooms}
    assert {name for name in named if not is_defined(name)} == set()


@pytest.mark.parametrize("page", TEXTS)
def test_options_that_are_named_are_there(page):
    named = [name.rpartition(".")[::2] for name in dotted(page)]
    assert [name for name in named if name[0] in OPTIONS and name[1] not in OPTIONS[name[0]]] == []


@pytest.mark.parametrize("metric", METRICS)
def test_every_metric_has_one_paragraph(metric):
    exact = [page for page, text in DEFINITIONS.items() for name in BOLD.findall(text) if name == metric]
    families = [page for page, text in DEFINITIONS.items() for name in BOLD.findall(text) if is_of_family(metric, name)]
    assert len(exact or families) == 1


def is_of_family(metric: str, name: str) -> bool:
    """Whether a heading such as recall_at_<k> is also that of a metric."""
    if "<" not in name:
        return False
    pattern = "".join(part if part[0] != "<" else r"\d+" for part in re.findall(r"<\w+>|[^<]+", name))
    return re.fullmatch(pattern, metric) is not None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("objective.objective.Objective.effective_beta", True),
        ("measures.grid.confusion.accuracy", True),
        ("anomaly.calibration.FITS", True),
        ("evaluation.scores.maps", True),
        ("measures.grid.confusion.precision", False),
        ("measures.grid.categorical", False),
    ],
)
def test_what_is_defined_is_found(name, expected):
    assert is_defined(name) is expected
