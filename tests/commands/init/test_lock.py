"""vaelab.lock: which stages another installed package would run otherwise, and who says so."""

import pytest

from vaelab.commands.init import lock, upgrade
from vaelab.commands.init.pipeline import LOCK, pipeline_files
from vaelab.errors import InputError


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with the files of the pipeline and their lock, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    files = pipeline_files()
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / LOCK).write_text(lock.written_lock(files))
    return tmp_path


def other_code(monkeypatch, *stages):
    """Another package is installed, whose code of some stages differs."""
    digests = lock.installed() | dict.fromkeys(stages, "0" * lock.DIGITS)
    monkeypatch.setattr(lock, "installed", lambda: digests)


def test_the_package_of_the_lock_says_nothing(project, capsys):
    for stage in lock.installed():
        lock.check_stage(stage)
    assert lock.differences() == ""
    assert capsys.readouterr() == ("", "")


def test_a_digest_is_of_names_and_contents(tmp_path, monkeypatch):
    monkeypatch.setattr(lock, "LIBRARY", tmp_path / "vaelab")
    (tmp_path / "vaelab/models/__pycache__").mkdir(parents=True)
    found = set()
    for name, content in (("a.py", "1"), ("a.py", "2"), ("b.py", "2")):
        (tmp_path / "vaelab/models" / name).write_text(content)
        found.add(lock._digest(["src/vaelab/models"]))
    (tmp_path / "vaelab/models/__pycache__/a.pyc").write_text("x")
    assert len(found) == 3
    assert lock._digest(["src/vaelab/models"]) in found


def test_a_stage_with_other_code_stops_before_it_does_anything(project, monkeypatch):
    other_code(monkeypatch, "train")
    monkeypatch.setattr(lock, "__version__", "9.0")
    with pytest.raises(InputError) as error:
        lock.check_stage("train")
    assert "9.0 is installed, with other code of stages train; `vaelab upgrade`" in str(error.value)
    assert "pip install vaelab==0" in str(error.value)


def test_resolve_answers_for_all_and_others_say_it(project, monkeypatch, capsys):
    other_code(monkeypatch, "evaluate")
    lock.check_stage("train")
    assert "note: vaelab.lock" in capsys.readouterr().err
    with pytest.raises(InputError, match="of stages evaluate"):
        lock.check_stage("resolve")


def test_another_version_with_the_same_stages_is_said_and_runs(project, monkeypatch, capsys):
    monkeypatch.setattr(lock, "__version__", "9.0")
    lock.check_stage("resolve")
    assert "9.0 is installed; their stages are the same" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["[]", "vaelab: 1.0\nstages: {}\nfiles: {}", "vaelab: '1'", "a: [", None])
def test_a_lock_that_is_damaged_or_gone_is_one_message(project, text):
    (project / LOCK).unlink()
    if text is not None:
        (project / LOCK).write_text(text)
    with pytest.raises(InputError, match=LOCK):
        lock.check_stage("train")


@pytest.mark.parametrize("damage", [b"", b"[1]", b"\xff\xfe", None])
def test_a_lock_that_is_damaged_or_gone_is_written_again(project, damage):
    (project / "params.yaml").write_text("runs: {}")
    (project / "stages/train.py").write_bytes(b"\xff")
    (project / LOCK).unlink() if damage is None else (project / LOCK).write_bytes(damage)
    assert "upgrade" in (lock.differences(project) if damage is None else "upgrade")
    said = upgrade.upgrade(project)
    assert f"{'none' if damage is None else 'damaged'} to" in said
    assert lock.differences(project) == ""
    assert (project / "stages/train.py").read_bytes() == b"\xff"
    assert (project / "stages/train.py.new").is_file()


def test_upgrade_writes_what_the_user_has_not_changed(project, monkeypatch):
    assert "nothing to do" in upgrade.upgrade(project)
    new = pipeline_files() | {"dvc.yaml": "new: 1\n", "stages/train.py": "new = 1\n"}
    monkeypatch.setattr(upgrade, "pipeline_files", lambda: new)
    (project / "stages/train.py").write_text("mine = 1\n")
    said = upgrade.upgrade(project)
    assert "no stage has other code" in said
    assert (project / "dvc.yaml").read_text() == "new: 1\n"
    assert (project / "stages/train.py").read_text() == "mine = 1\n"
    assert (project / "stages/train.py.new").read_text() == "new = 1\n"
    assert "stages/train.py was changed here, and stays" in said
    assert lock.read_lock(project).files["dvc.yaml"] == lock.digest_of("new: 1\n")


def test_the_clone_of_vaelab_itself_is_not_upgraded(tmp_path):
    (tmp_path / "src/vaelab").mkdir(parents=True)
    with pytest.raises(InputError, match="depend on src/"):
        upgrade.upgrade(tmp_path)
