"""Games on a Ray cluster: two nodes on this machine, one of which is killed in mid-tournament."""

import os
import sys
import threading
from collections import Counter

import pytest
from crews import Queue, alive, descendants, games, numbers, wait_until

from sakiyomi.arena import Conditions, Termination
from sakiyomi.arena.errors import Failure
from sakiyomi.arena.running.games import Games
from sakiyomi.arena.running.limits import Limits
from sakiyomi.arena.running.ray_crew import RayCrew, why_lost
from sakiyomi.arena.running.ray_host import Host, source_digest
from sakiyomi.boards.catalog import make_game

HERE = os.path.dirname(__file__)


@pytest.fixture(scope="module")
def cluster():
    """The address of a cluster with a node of one processor, and what adds another."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield cluster
    cluster.shutdown()


def heard(host):
    """What it has to say next."""
    while not (found := host.listen(1.0)).said:
        assert found.ended is None
    return found


def test_a_host_holds_a_worker_and_tells_of_it():
    host = Host(games("python:fakes:Slow"), False, source_digest(), [HERE, "/no/such/folder"], 0, 1 << 40)
    assert "/no/such/folder" not in sys.path
    heard(host)
    queue = Queue(3)
    host.send(list(queue.todo))
    while not (found := host.listen(0.05)).glance.moves:
        pass
    assert found.glance.number == 1
    assert found.memory > 10_000_000
    (report,) = heard(host).said
    assert report.number == 1
    assert report.outcome.termination is Termination.NORMAL
    while host.listen(0.05).glance.number != 2:
        pass
    process = host._worker.process
    process.kill()
    while (found := host.listen(1.0)).ended is None:
        pass
    assert found.ended == f"signal 9 on node {host.node}"
    assert found.glance.number >= 2
    host.close()


def test_another_version_on_a_node_is_refused():
    with pytest.raises(RuntimeError, match="has another version of sakiyomi; install the same everywhere"):
        Host(games(), False, "0" * 64, [], 0, None)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("creation task ...\nRuntimeError: node n1 has another version of sakiyomi; install it", "node n1 has another"),
        (
            "The actor failed to be imported\nModuleNotFoundError: No module named 'sakiyomi'",
            "has no sakiyomi: install",
        ),
        (
            "an error raised in its creation task, ...\nOSError: too many files\n",
            "Ray cluster: OSError: too many files",
        ),
    ],
)
def test_a_node_that_cannot_do_the_work_ends_it_with_a_reason(said, told):
    with pytest.raises(Failure, match=told):
        why_lost(Exception(said))
    assert why_lost(Exception("the node died")) == "its Ray node or process died"


@pytest.mark.parametrize("address", ["somewhere", "host:", "a b:1", ""])
def test_an_address_that_is_none(address):
    pytest.importorskip("ray")
    with pytest.raises(ValueError, match="wanted: auto, local or HOST:PORT"):
        RayCrew(games(), 1, address)


def test_pins_are_for_one_machine():
    with pytest.raises(ValueError, match="leave the pin out"):
        RayCrew(games(), 1, "local", limits=Limits(pin=True))


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(Failure, match=r'Ray is not installed: pip install "sakiyomi\[ray\]"'):
        RayCrew(games(), 1, "local")


@pytest.mark.slow
def test_a_node_killed_in_mid_tournament_costs_no_game(cluster, tmp_path):
    """60 games before; a node dies in the midst; 60 games after, each once, the same as in one process."""
    node = cluster.add_node(num_cpus=1)
    work, queue, done, killed = games("python:fakes:Slow", seed=3), Queue(60), [], []

    def kill():
        if len(done) > 12 and not killed and len(crew.doing) == 2:
            killed.append(len(done))
            cluster.remove_node(node, allow_graceful=False)

    with RayCrew(work, None, cluster.address, tmp_path / "log", tick=kill) as crew:
        for each in crew.do(queue):
            done.append(each)
    assert killed[0] < 40, "the node died in the midst"
    assert numbers(done) == list(range(1, 61))
    assert len(queue.back) <= 1, "of the games that were running one alone is played again"
    bench = work.bench()
    again = {job.number: bench.do(job) for job in Queue(60).todo}
    assert all(each.outcome.record == again[each.job.number].record for each in done)


@pytest.mark.slow
def test_silent_players_and_missing_programs_on_a_cluster(cluster, tmp_path):
    work = games("python:fakes:Sleeper")
    with RayCrew(work, 1, cluster.address, tmp_path / "log", patience=1.0) as crew:
        done = list(crew.do(Queue(2)))
    assert [each.outcome.termination for each in done] == [Termination.STALL] * 2
    assert all(each.outcome.detail == "a: no move for 1 s" for each in done)
    missing = Games(make_game("go-2x2"), {"a": "gtp:no-such-engine", "b": "random"}, Conditions())
    with RayCrew(missing, 1, cluster.address, tmp_path / "log") as crew:
        (one,) = crew.do(Queue(1))
    assert one.outcome.termination is Termination.COULD_NOT_START
    assert "engine program 'no-such-engine' not found" in one.outcome.detail
    assert f"(on node {os.uname().nodename})" in one.outcome.detail


@pytest.mark.slow
def test_nothing_outlives_a_crew_on_a_cluster(cluster, tmp_path):
    """Its workers end with it, in the midst of games; and a killed worker's game is played again."""
    killed = []

    def kill():
        found = [pid for pid in descendants(os.getpid()) if b"running.worker" in command(pid)]
        killed.extend(found)
        os.kill(found[0], 9)

    queue = Queue(30)
    with RayCrew(games("python:fakes:Slow"), 1, cluster.address, tmp_path / "log") as crew:
        stream = crew.do(queue)
        next(stream)
        threading.Timer(0.3, kill).start()
        for _, each in zip(range(10), stream, strict=False):
            assert each.outcome.termination is Termination.NORMAL
        assert Counter(queue.back).most_common(1)[0][1] == 1
        running = [pid for pid in descendants(os.getpid()) if b"running.worker" in command(pid)]
        assert len(running) == 1
        assert len(killed) == 1
    wait_until(lambda: not any(map(alive, running)))


def command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""
