"""dvc.yaml and the stages of a project, made of the repository's own: the installed package in place of `src`.

Where the repository's stages depend on folders of `src`, those of a project depend on a key of vaelab.lock.
"""

import re

from vaelab.commands.init.packaged import PLOTS, text_of

LOCK = "vaelab.lock"
SOURCE = re.compile(r"^ +- (src/\S+)\n", re.MULTILINE)
STAGE = re.compile(r"^  (\w+):\n(?:(?:   .*)?\n)*", re.MULTILINE)
START = re.compile(r"^\w", re.MULTILINE)  # of what is no comment
HEADER = """\
# The pipeline, written by `vaelab init`; `dvc dag` draws it. `vaelab upgrade` writes it again.
# A stage depends on the installed package by its key in vaelab.lock: the digest of the code that it uses.
# Names of runs and data sets come from params.yaml, and no shell reads them.

"""
RUN = "exit_on_input_error(main)\n"
FIRST = "from vaelab import artifacts"


def sources() -> dict[str, list[str]]:
    """Return what each stage uses of the library, by name, as paths of the repository: src/vaelab/models ..."""
    return {found[1]: SOURCE.findall(found[0]) for found in _stages()}


def pipeline() -> str:
    """Return dvc.yaml of a project."""
    text = text_of("dvc.yaml")
    body = text[next(START.finditer(text)).start() :]
    for found in _stages():
        body = body.replace(found[0], _locked(found[0], found[1]))
    return HEADER + body


def script(stage: str) -> str:
    """Return the script of a stage in a project, which first compares the installed package with vaelab.lock."""
    text = text_of(f"stages/{stage}.py")
    check = "from vaelab.commands.init.lock import check_stage\n"
    text = text.replace(FIRST, check + FIRST, 1)
    return text.replace(f"    {RUN}", f'    exit_on_input_error(lambda: check_stage("{stage}"))\n    {RUN}', 1)


def pipeline_files() -> dict[str, str]:
    """Return the files of a project that come from the package as they are, by path."""
    plots = {f".dvc/plots/{name}.json": text_of(f".dvc/plots/{name}.json") for name in PLOTS}
    scripts = {f"stages/{name}.py": script(name) for name in sources()}
    return {"dvc.yaml": pipeline(), **scripts, **plots}


def _stages() -> list[re.Match[str]]:
    text = text_of("dvc.yaml")
    body = text[text.index("\nstages:") : text.index("\nplots:")]
    return [*STAGE.finditer(body)]


def _locked(text: str, stage: str) -> str:
    """The lines of a stage with a key of the lock in place of the folders that it depends on."""
    text = SOURCE.sub("", text)
    found = re.search(r"^( +)params:\n( +- )", text, re.MULTILINE)
    if found:
        return f"{text[: found.end(1)]}params:\n{found[2]}{LOCK}: [stages.{stage}]\n{text[found.start(2) :]}"
    place = re.search(r"^( +)deps:\n", text, re.MULTILINE)
    assert place is not None
    entry = f"{place[1]}params:\n{place[1]}  - {LOCK}: [stages.{stage}]\n"
    return text[: place.start()] + entry + text[place.start() :]
