"""`vaelab init` and `vaelab add`: whole projects, or nothing."""

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from vaelab import cli
from vaelab.commands.init import adding, create, tools
from vaelab.commands.init.lock import read_lock
from vaelab.commands.notebook.command import notebook
from vaelab.errors import InputError


@pytest.fixture(autouse=True)
def author(monkeypatch, tmp_path):
    """Git knows nobody, and looks for no repository above."""
    for name, value in {"HOME": tmp_path, "GIT_CONFIG_NOSYSTEM": 1, "GIT_CEILING_DIRECTORIES": tmp_path}.items():
        monkeypatch.setenv(name, str(value))
    for name in [name for name in os.environ if name.startswith(("GIT_AUTHOR", "GIT_COMMITTER"))]:
        monkeypatch.delenv(name)


@pytest.fixture
def track(monkeypatch):
    """What is given to DVC, which takes seconds: a list, and a file .dvc for each."""
    given = []

    def track(folder, data):
        given.extend(data)
        for place in data:
            (folder / f"{place}.dvc").write_text("")
            (folder / place).parent.joinpath(".gitignore").write_text(f"/{Path(place).name}\n")

    monkeypatch.setattr(tools, "track", track)
    return given


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def git(folder, *words):
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout


def test_an_example_is_a_committed_project(tmp_path, capsys):
    folder = tmp_path / "new" / "ä b"
    said = create.create(folder, None, "tags", False)
    assert "example tags: runs tags" in said
    assert f"cd '{folder}'" in said
    assert git(folder, "status", "--porcelain") == ""
    assert git(folder, "log", "--format=%an %s").strip() == "vaelab init vaelab init"
    assert "git knows no author here" in capsys.readouterr().err
    assert read_lock(folder).stages.keys() == yaml.safe_load((folder / "dvc.yaml").read_text())["stages"].keys()
    local = (folder / ".dvc/config.local").read_text()  # DVC cannot queue experiments of a path that is not ASCII
    assert local == f"[cache]\n    dir = {tools.cache_outside(folder)}\n"
    assert local.isascii()
    assert tools.cache_outside(tmp_path) is None


def test_data_are_copied_and_what_was_guessed_is_in_params(raw, tmp_path, track, monkeypatch):
    before = files(raw / "beside")
    monkeypatch.chdir(tmp_path)
    said = create.create(Path("p"), raw / "beside", None, False)
    assert "understood: 12 images and 1 masks" in said
    assert "tried: train" in said
    assert track == ["data/raw/beside"]
    text = (tmp_path / "p/params.yaml").read_text()
    assert "mask_suffix: _mask" in text
    assert "# guessed: pixels of a patch" in text
    assert len(files(tmp_path / "p/data/raw/beside/images")) == 12
    assert files(raw / "beside") == before
    assert git(tmp_path / "p", "status", "--porcelain") == ""


def test_data_can_stay_where_they_are(raw, tmp_path, track):
    said = create.create(tmp_path / "p", raw / "songs.csv", None, True)
    assert yaml.safe_load((tmp_path / "p/params.yaml").read_text())["datasets"]["songs"]["path"] == str(
        raw / "songs.csv"
    )
    assert "DVC does not notice when it changes" in said
    assert track == []
    with pytest.raises(InputError, match="needs a copy"):
        create.create(tmp_path / "q", raw / "beside", None, True)


def test_a_folder_with_a_readme_and_git_takes_a_project_beside_them(tmp_path):
    (tmp_path / "p").mkdir()
    git(tmp_path / "p", "init", "-q")
    for name, text in {"README.md": "mine\n", ".gitignore": "mine/\n"}.items():
        (tmp_path / "p" / name).write_text(text)
    create.create(tmp_path / "p", None, "tags", False)
    assert (tmp_path / "p/README.md").read_text() == "mine\n"
    assert (tmp_path / "p/VAELAB.md").read_text().startswith("# p\n")
    assert (tmp_path / "p/.gitignore").read_text().startswith("mine/\n\n")
    assert not list((tmp_path / "p").glob(".vaelab-init-*"))


@pytest.mark.parametrize("name", ["params.yaml", "dvc.yaml", "stages", ".dvc"])
def test_what_is_there_already_is_not_touched(tmp_path, name):
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / name).write_text("mine")
    with pytest.raises(InputError, match=f"has {name} already"):
        create.create(tmp_path / "p", None, "tags", False)
    assert files(tmp_path / "p") == {name: b"mine"}


def test_inside_of_another_repository_is_refused(tmp_path):
    git(tmp_path, "init", "-q")
    with pytest.raises(InputError, match="inside of the git repository"):
        create.create(tmp_path / "p", None, "tags", False)


def test_a_project_is_not_put_into_its_own_data(raw):
    with pytest.raises(InputError, match="holds the project itself"):
        create.create(raw / "photos/new", raw / "photos", None, False)
    assert not (raw / "photos/new").exists()


@pytest.mark.parametrize("error", [InputError("no"), KeyboardInterrupt()], ids=["refused", "interrupted"])
@pytest.mark.parametrize("there", [False, True])
def test_what_fails_leaves_nothing(raw, tmp_path, monkeypatch, error, there):
    folder = tmp_path / "deep" / "p"
    if there:
        folder.mkdir(parents=True)
        (folder / ".gitignore").write_text("mine\n")

    def fail(*arguments):
        raise error

    monkeypatch.setattr(tools, "track", fail)
    with pytest.raises(type(error)):
        create.create(folder, raw / "songs.csv", None, False)
    assert files(tmp_path) == ({"deep/p/.gitignore": b"mine\n"} if there else {})
    assert (tmp_path / "deep").exists() == there


def test_data_that_cannot_be_prepared_are_said_with_what_was_understood(raw, tmp_path):
    (tmp_path / "t.csv").write_text("id,tags\n" + "\n".join(f"{n},a|b,c" if n == 29 else f"{n},a|b" for n in range(30)))
    for problem in ("t.csv",):
        with pytest.raises(InputError, match="cells"):
            create.create(tmp_path / "p", tmp_path / problem, None, False)
    assert not (tmp_path / "p").exists()


@pytest.fixture
def project(tmp_path, monkeypatch, track):
    create.create(tmp_path / "p", None, "tags", False)
    monkeypatch.chdir(tmp_path / "p")
    return tmp_path / "p"


def test_a_run_is_added_with_its_preset_from_the_package(project):
    before = Path("params.yaml").read_text()
    said = adding.add_run("wide", "tags", "vae_large", ["epochs=1", "lr=1e-3"])
    text = Path("params.yaml").read_text()
    line = "  wide: {data: tags, preset: vae_large, train: {epochs: 1, learning_rate: 0.001}}"
    assert line.strip() in said
    assert line in text
    assert "presets.vae_large, as vaelab brings it" in said
    kept = [row for row in text.splitlines() if row in before.splitlines()]
    assert kept == before.splitlines()


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("x", "tag", "tags", ["epochs=a", "what=1"]), ["no data set 'tag'", "did you mean 'tags'", "what: unknown"]),
        (("x", "tags", "vae_larg", []), ["no preset 'vae_larg'", "did you mean 'vae_large'", "in params.yaml: tags"]),
        (("tags", "tags", None, []), ["runs.tags is there already"]),
        (("a.b", "tags", None, []), ["a.b"]),
        (("x", "tags", None, ["latent_dim=64", "terms.mse=1"]), ["mse"]),
    ],
)  # fmt: skip
def test_a_run_that_is_wrong_changes_nothing(project, arguments, parts):
    before = files(project)
    with pytest.raises(InputError) as error:
        adding.add_run(*arguments)
    assert all(part in str(error.value) for part in parts), error.value
    assert files(project) == before


def test_a_project_takes_the_notebook_from_the_package(project):
    assert "notebooks/analysis.ipynb" in notebook(None, False)
    assert (project / "notebooks/analysis.ipynb").is_file()
    assert not (project / "notebooks/analysis.py").exists()


def test_a_data_set_is_added_with_its_data(project, raw, track, monkeypatch):
    said = adding.add_data("songs", raw / "songs.csv", False)
    assert "vaelab add run songs --data songs --preset tags" in said
    assert "tried: train" in said
    assert track == ["data/raw/songs.csv"]
    assert "separator: ','              # guessed: between two tags" in Path("params.yaml").read_text()
    with pytest.raises(InputError, match=r"datasets\.songs is there already"):
        adding.add_data("songs", raw / "songs.csv", False)

    def fail(*arguments):
        raise InputError("no")

    before = files(project)
    monkeypatch.setattr(tools, "track", fail)
    with pytest.raises(InputError, match="no"):
        adding.add_data("more", raw / "photos", False)
    assert files(project) == before


def test_the_commands_end_as_all_do(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for words, message in {
        ("init", "p", "--example", "tag"): "no example 'tag'; did you mean 'tags'?",
        ("init", "p", "--data", "nothing"): "nothing: no such file or folder",
        ("init", "p", "--data", ".", "--example", "tags"): "expected one of them",
        ("upgrade",): "vaelab.lock",
    }.items():
        monkeypatch.setattr("sys.argv", ["vaelab", *words])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code == 2
        assert message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
