"""What the tasks of a cluster are given."""

import socket

import pytest

from vaelab.commands.repro.on_ray import Resources, check_answers, check_room, environment, has_room
from vaelab.errors import InputError

NODES = [{"Alive": True, "Resources": {"CPU": 8.0, "GPU": 2.0}}, {"Alive": False, "Resources": {"CPU": 64.0}}]


def test_several_gpus_are_for_one_training():
    assert environment(Resources(2, 0.5), {}) == {"OMP_NUM_THREADS": "2"}
    launch = environment(Resources(8, 4), {"OMP_NUM_THREADS": "1"})
    assert launch["OMP_NUM_THREADS"] == "1"
    assert launch["LAUNCH"].endswith(".tied torchrun --standalone --nproc-per-node 4")
    own = environment(Resources(2), {"LAUNCH": "torchrun --standalone --nproc-per-node 2"})
    assert own["LAUNCH"].endswith(".tied torchrun --standalone --nproc-per-node 2")


def test_more_than_any_machine_has_is_refused_where_none_can_join_and_said_where_one_can():
    said = []
    check_room(NODES, Resources(8, 2), said.append)
    assert said == []
    with pytest.raises(InputError, match="--gpus 4: no machine of the cluster has so many, at most 2"):
        check_room(NODES, Resources(1, 4), said.append)
    check_room(NODES, Resources(16, 0, "auto"), said.append)
    assert said == ["--cpus 16: no machine of the cluster has so many, at most 8: runs wait for one that has"]


def test_a_machine_without_cores_for_tasks_takes_none():
    assert [has_room(node, Resources(1, 2)) for node in NODES] == [True, False]
    assert not has_room({"Alive": True, "Resources": {"memory": 1e9}}, Resources())


def test_an_address_where_nothing_listens_is_refused_at_once(tmp_path, monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    check_answers("auto")  # none is known: Ray says so
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        (tmp_path / "ray").mkdir()
        (tmp_path / "ray/ray_current_cluster").write_text(address)
        check_answers("auto")
        check_answers(address)
    with pytest.raises(InputError, match=f"^--address auto: no Ray cluster answers at {address}: "):
        check_answers("auto")
    with pytest.raises(InputError, match=f"^--address {address}: no Ray cluster answers at {address}: "):
        check_answers(address)
