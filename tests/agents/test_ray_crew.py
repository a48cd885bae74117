"""Self-play on a Ray cluster: the games are those of one machine, whatever dies."""

import os
import signal
import sys
import threading
import time
from dataclasses import replace
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pytest

pytest.importorskip("torch")

from sakiyomi.agents.agent import TrainingBudget
from sakiyomi.agents.alphazero import AlphaZero
from sakiyomi.agents.parts.dual.nets import DualNet
from sakiyomi.agents.parts.search import Dirichlet, Puct
from sakiyomi.agents.parts.selfplay.crew import LocalCrew, make_crew
from sakiyomi.agents.parts.selfplay.ray_cluster import digest_of
from sakiyomi.agents.parts.selfplay.ray_crew import LIMIT, RayCrew, _check_losses, places
from sakiyomi.agents.parts.selfplay.ray_worker import PACKAGES, Lesson, Worker, read_state, state_of, write_state
from sakiyomi.agents.parts.selfplay.self_player import Habits
from sakiyomi.boards import rows
from sakiyomi.boards.connect4 import ConnectFour
from sakiyomi.boards.tictactoe import TicTacToe

HABITS = Habits(simulations=6, selection=Puct(), noise=Dirichlet(alpha=1.0), exploring_plies=8, play_on=0.5)
CREW = {"games": 4, "groups": 2, "runtime": "torch", "random_symmetry": True}
ROUNDS = 170
RESIGN = -0.6
GROUP = ("games.npz", "random.json")


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = rows.setting()
    rows.set_threads(1)
    yield
    rows.set_threads(before)


@pytest.fixture(scope="module")
def cluster():
    """A cluster with a node of one processor, to which others can be added."""
    pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    yield cluster
    cluster.shutdown()


def net(seed=0):
    """A small one, with convictions of its own."""
    import torch

    torch.manual_seed(seed)
    made = DualNet(ConnectFour().planes, 7, blocks=1, channels=8, hidden=8)
    for last in (made.policy.last, made.value.last):
        torch.nn.init.normal_(last.weight)
    return made


def local(share=0, seed=5):
    return LocalCrew(ConnectFour(), HABITS, seed=[seed, share] if share else seed, **CREW)


class Here(NamedTuple):
    """What two shares play in two calls on this machine."""

    episodes: list
    lowest: list
    counts: list
    folders: list


@pytest.fixture(scope="module")
def here(one_thread, tmp_path_factory):
    crews, found = [local(share) for share in range(2)], []
    for call in range(2):
        for crew in crews:
            crew.use(net(call), None, RESIGN)
            found += crew.play(ROUNDS)
    folders = [tmp_path_factory.mktemp("here") for _ in crews]
    for crew, folder in zip(crews, folders, strict=True):
        crew.save(folder)
    tallies = [crew.tally() for crew in crews]
    counts = [{name: tally[name] for name in ("simulations", "evaluated", "asked")} for tally in tallies]
    assert len(found) > 10
    return Here(found, [sorted(crew.lowest()) for crew in crews], counts, folders)


def told(episodes):
    """All that episodes are, to be compared."""
    return [
        tuple(part.tobytes() if isinstance(part, np.ndarray) else part for part in vars(each).values())
        for each in episodes
    ]


def games_of(path):
    """What a saved group holds, but for the remains of earlier games behind the running ones."""
    held = dict(np.load(path))
    for name, array in held.items():
        if array.shape[1:2] == held["actions"].shape[1:2] and name not in ("roots", "starts"):
            array[np.arange(array.shape[1]) >= held["length"][:, None]] = 0
    return {name: array.tobytes() for name, array in held.items()}


def saved(folder):
    """What the files in a folder hold, by their names."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): games_of(path) if path.suffix == ".npz" else path.read_bytes() for path in paths
    }


def saved_by(crew, folder):
    crew.save(folder)
    return saved(folder)


def unconnected(states):
    """A crew on no cluster, with games that stand so."""
    crew = object.__new__(RayCrew)
    crew._states = list(states)
    return crew


def kill_first(crew, kill):
    """A thread that kills once a share is being played; `kill` takes the worker."""

    def watch():
        while not (busy := [worker for worker, share in list(crew._doing.values()) if share is not None]):
            time.sleep(0.01)
        kill(busy[0])

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("nodes", "cores", "gpus", "found"),
    [
        ([{"CPU": 2}], 2, False, (2, 1)),
        ([{"CPU": 16}, {"CPU": 5}, {}], 2, False, (2, 10)),
        ([{"CPU": 1}, {"CPU": 1}], 2, False, (1, 2)),
        ([{"CPU": 0}], 2, False, (1, 0)),
        ([], 2, False, (1, 0)),
        ([{"CPU": 16, "GPU": 2}, {"CPU": 64}], 2, True, (2, 2)),
        ([{"CPU": 4, "GPU": 4}, {"CPU": 3, "GPU": 1}], 4, True, (3, 2)),
        ([{"CPU": 4, "GPU": 4}], 4, True, (1, 4)),
        ([{"CPU": 1.0, "GPU": 0.5}], 2, False, (1, 1)),
    ],
)
def test_workers_that_fit(nodes, cores, gpus, found):
    assert places(nodes, cores, gpus) == found


@pytest.mark.parametrize("address", ["somewhere", "host:", "a b:1", ""])
def test_an_address_that_is_none(address):
    with pytest.raises(ValueError, match="wanted: auto, local or HOST:PORT"):
        make_crew(ConnectFour(), HABITS, seed=0, ray=address, **CREW)


def test_where_no_cluster_is_that_is_said_at_once():
    pytest.importorskip("ray")
    with pytest.raises(ConnectionError, match=r"no Ray cluster is found at 127.0.0.1:1 \(.*refused\); start one with"):
        make_crew(ConnectFour(), HABITS, seed=0, ray="127.0.0.1:1", **CREW)


def test_without_ray_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ModuleNotFoundError, match=r'^Ray is not installed: pip install "sakiyomi\[ray\]"$'):
        make_crew(ConnectFour(), HABITS, seed=0, ray="local", **CREW)


def test_without_an_address_games_are_played_here():
    assert isinstance(make_crew(ConnectFour(), HABITS, seed=0, **CREW), LocalCrew)


def test_another_version_on_a_node_is_refused():
    worker = Worker(lambda seed: local(seed=seed))
    worker.greet(digest_of(PACKAGES))
    with pytest.raises(ConnectionError, match="has another version of sakiyomi; install the same everywhere"):
        worker.greet("0" * 64)


def test_a_worker_plays_any_share_from_where_it_stands(here):
    """Two shares by turns are what two crews that keep their games play."""
    worker, states = Worker(lambda seed: local(seed=seed)), [state_of(local(share)) for share in range(2)]
    lowest, episodes = [[], []], []
    for call in range(2):
        made = net(call)
        weights = {name: tensor.numpy() for name, tensor in made.state_dict().items()}
        for share in range(2):
            played = worker.play(states[share], Lesson(made.settings(), weights, None, RESIGN), ROUNDS)
            states[share] = played.state
            lowest[share] += played.lowest
            episodes += played.episodes
    assert told(episodes) == told(here.episodes)
    assert [sorted(each) for each in lowest] == here.lowest
    assert here.lowest[0] != []


def test_a_state_is_what_a_crew_saves(here, tmp_path):
    write_state(read_state(here.folders[0]), tmp_path)
    assert saved(tmp_path) == saved(here.folders[0])
    assert saved(tmp_path).keys() == {f"group-{group}/{name}" for group in (0, 1) for name in GROUP}


def test_runs_go_on_with_another_number_of_shares(here, tmp_path):
    """A run of this machine goes on as the first share of a cluster, and the first share of a cluster here."""
    first, second = local(0), local(1)
    first.load(here.folders[0])
    second.load(here.folders[1])
    states = [state_of(first), state_of(second)]
    ours = unconnected([state_of(local(share)) for share in range(2)])
    ours.load(here.folders[0])
    assert ours._states == [read_state(here.folders[0]), state_of(local(1))]
    unconnected(states).save(tmp_path / "cluster")
    ours = unconnected(states[1:])
    ours.load(tmp_path / "cluster")
    assert ours.shares == 2
    assert ours._states == states
    other = local(seed=6)
    other.load(tmp_path / "cluster")
    assert saved_by(other, tmp_path / "other") == saved(here.folders[0])


def test_a_task_that_kills_its_workers_ends_the_training():
    _check_losses(LIMIT - 1, MemoryError())
    with pytest.raises(ConnectionError, match=f"{LIMIT} workers .* died of the same task.*out of memory"):
        _check_losses(LIMIT, MemoryError("out of\nmemory"))


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("The actor failed to be imported\nModuleNotFoundError: No module named 'sakiyomi'", "has no sakiyomi"),
        ("an error raised in its creation task, ...\nOSError: too many files\n", "cluster: OSError: too many files$"),
    ],
)
def test_a_node_that_cannot_do_the_work_ends_it_with_a_reason(said, words):
    def kill(worker):
        raise OSError("it is gone")

    crew = unconnected([])
    crew._ray, crew.lost = SimpleNamespace(kill=kill, exceptions=SimpleNamespace(RayError=OSError)), 0
    with pytest.raises(ConnectionError, match=words):
        crew._bury("worker", None, Exception(said))
    crew._bury("worker", 0, Exception("the node died"))
    assert crew.lost == 2


def test_a_cluster_plays_the_games_of_one_machine_though_a_worker_is_killed(cluster, here, tmp_path):
    on_end = signal.getsignal(signal.SIGTERM)
    crew = RayCrew(ConnectFour(), HABITS, seed=5, address=cluster.address, shares=2, **CREW)
    assert signal.getsignal(signal.SIGTERM) is on_end
    try:
        crew.use(net(0), None, RESIGN)
        episodes = crew.play(ROUNDS)
        first = len(episodes)
        assert episodes[0].final.flags.writeable
        middle = list(crew._states)
        killer = kill_first(crew, crew._ray.kill)
        crew.use(net(1), None, RESIGN)
        episodes += crew.play(ROUNDS)
        killer.join()
        assert crew.lost == 1
        assert told(episodes) == told(here.episodes)
        assert sorted(crew.lowest()) == sorted(here.lowest[0] + here.lowest[1])
        tally = crew.tally()
        assert all(tally[name] == here.counts[0][name] + here.counts[1][name] for name in here.counts[0])
        assert tally.keys() > here.counts[0].keys()
        assert (crew.tally(), crew.lowest()) == ({}, [])
        crew.save(tmp_path / "share-0")
        assert saved(tmp_path / "share-0" / "share-1") == saved(here.folders[1])
        (tmp_path / "share-0" / "share-1").rename(tmp_path / "share-1")
        assert saved(tmp_path / "share-0") == saved(here.folders[0])
        unconnected(middle).save(tmp_path / "middle")
        crew.load(tmp_path / "middle")
        assert told(crew.play(ROUNDS)) == told(here.episodes[first:])
    finally:
        crew.close()


@pytest.mark.slow
def test_a_node_killed_in_the_midst_costs_no_game(cluster, here):
    """Two nodes with a share each; one dies, and the other plays both on, until there is a second again."""
    node = cluster.add_node(num_cpus=1)
    crew = RayCrew(ConnectFour(), HABITS, seed=5, address=cluster.address, **CREW)
    try:
        assert crew.shares == 2
        crew.use(net(0), None, RESIGN)
        episodes = crew.play(ROUNDS)
        assert len(crew._idle) == 2
        killer = kill_first(crew, lambda worker: cluster.remove_node(node, allow_graceful=False))
        crew.use(net(1), None, RESIGN)
        episodes += crew.play(ROUNDS)
        killer.join()
        assert crew.lost == 1
        assert told(episodes) == told(here.episodes)
        node = cluster.add_node(num_cpus=1)
        crew.play(ROUNDS)
        crew.play(ROUNDS)
        assert len(crew._idle) + len(crew._doing) == 2
    finally:
        cluster.remove_node(node, allow_graceful=False)
        while len(crew._nodes()) > 1:
            time.sleep(0.1)
        crew.close()


@pytest.mark.slow
def test_training_on_a_cluster_is_training_here(cluster, tmp_path):
    """With a single share, to the last bit; and a run goes from one to the other."""
    config = replace(
        AlphaZero.presets["tictactoe"],
        simulations=6,
        games=8,
        groups=1,
        rounds=60,
        least=20,
        batch=16,
        evaluate_every=100,
    )

    def train(folder, iterations, ray, resume=False):
        budget = TrainingBudget(environment_steps=10**9)
        stages = AlphaZero.train(TicTacToe(), folder, budget, config=config, resume=resume, ray=ray, runtime="torch")
        last = [next(stages) for _ in range(iterations)][-1]
        stages.close()
        assert last.steps > 0
        return (folder / "weights.safetensors").read_bytes()

    whole = train(tmp_path / "here", 4, None)
    assert train(tmp_path / "cluster", 4, cluster.address) == whole
    train(tmp_path / "both", 2, cluster.address)
    assert train(tmp_path / "both", 2, None, resume=True) == whole
