"""Crews: pause, ticks, what is being played, jobs given ahead and taken back, workers that die."""

import threading
import time
from collections import Counter
from dataclasses import dataclass
from multiprocessing import Pipe

import pytest
from crews import Queue, games, numbers

from sakiyomi.arena import Pairing
from sakiyomi.arena.running import hand as hands
from sakiyomi.arena.running.channel import Glance, Ready, Report
from sakiyomi.arena.running.crew import Crew, Running
from sakiyomi.arena.running.everywhere import do_all
from sakiyomi.arena.running.games import Games
from sakiyomi.arena.running.hand import Hand
from sakiyomi.arena.running.watching import remove_running, running_entries, write_running
from sakiyomi.arena.running.worker import Outbox
from sakiyomi.arena.schedules.schedule import Opening


def test_quick_games_are_all_done_once():
    queue = Queue(2000)
    with Crew(games(), 2) as crew:
        done = list(crew.do(queue))
    assert numbers(done) == list(range(1, 2001))
    assert queue.back == []
    assert all(each.started <= each.finished for each in done)


def test_while_paused_nothing_is_handed_out():
    pause, ticks, queue = threading.Event(), [], Queue(12)
    done = []
    with Crew(
        games("python:fakes:Slow"), 1, paused=pause.is_set, tick=lambda: ticks.append((len(done), pause.is_set()))
    ) as crew:
        stream = crew.do(queue)
        done += [next(stream) for _ in range(5)]
        pause.set()
        threading.Timer(2.5, pause.clear).start()
        cpu = time.process_time()
        done += stream
        spent = time.process_time() - cpu
    assert numbers(done) == list(range(1, 13))
    assert queue.back == []
    seen = [count for count, paused in ticks if paused]
    assert len(seen) >= 2, "ticks go on"
    assert max(seen) <= 5 + 1 + 1, "the game that ran has ended, and one that was given ahead"
    assert spent < 1.5, "a pause is no busy waiting"


def test_who_watches_is_told_moves_clocks_and_times(tmp_path):
    seen = []
    before = time.time()
    with Crew(games("python:fakes:Slow"), 1, tick=lambda: seen.extend(crew.doing)) as crew:
        list(crew.do(Queue(12)))
        assert crew.doing == []
    assert seen
    for running in seen:
        assert running.job.number in range(1, 13)
        assert set(running.moves) <= {file + rank for file in "abc" for rank in "123"}
        assert running.clocks is None
        assert before <= running.since <= time.time()


def test_the_file_of_running_games(tmp_path):
    path = tmp_path / "running.json"
    job = Pairing(7, "a", "b", Opening(("b2",), "x . . / . . . / . . . o"), 4)
    entries = running_entries([Running(job, (), None, 0.0), Running(job, ("b2", "a1"), (59.5, 60.0), 1.5)])
    assert entries == [
        {
            "number": 7,
            "first": "a",
            "second": "b",
            "setup": job.opening.setup,
            "moves": moves,
            "clocks": clocks,
            "since": since,
        }
        for moves, clocks, since in [
            (["b2"], None, "1970-01-01T00:00:00.000+00:00"),
            (["b2", "a1"], [59.5, 60.0], "1970-01-01T00:00:01.500+00:00"),
        ]
    ]
    write_running(path, entries)
    assert path.read_text().startswith('[{"number": 7,')
    remove_running(path)
    remove_running(path)
    assert not list(tmp_path.iterdir())
    write_running(tmp_path / "missing" / "running.json", entries)  # ends nothing


class Line:
    """A channel on which nobody is."""

    placed = True

    def __init__(self):
        self.sent, self.recalled, self.now = [], 0, Glance()

    def send(self, jobs):
        self.sent.append([job.number for job in jobs])

    def recall(self):
        self.recalled += 1

    def glance(self):
        return self.now


def jobs(count):
    return [Queue(count).todo[number - 1] for number in range(1, count + 1)]


def quick_hand(count, seconds=0.001):
    hand = Hand(Line(), 0, warms=False)
    hand.ready = True
    hand.timed([Report(0, None, 0.0, seconds)])
    hand.give(jobs(count))
    return hand


def test_who_is_quick_is_given_more_ahead():
    hand = Hand(Line(), 0, warms=False)
    assert hand.wanted == 0, "not ready"
    hand.ready = True
    assert hand.wanted == 1
    for seconds, wanted in ((1.0, 1), (0.04, 2), (0.01, 6), (0.00001, hands.MOST), (-1.0, hands.MOST)):
        hand.timed([Report(0, None, 0.0, seconds)])
        assert hand.wanted == wanted
    hand.timed([Report(1, None, 0.0, 0.001), Report(2, None, 0.0, 10.0)])
    assert hand.wanted == 1, "one long game among quick ones"


def test_jobs_behind_a_long_one_are_taken_back_and_its_late_reports_do_not_count():
    hand = quick_hand(5)
    hand.channel.now = Glance(1, since=time.time())
    assert hand.idle_jobs() == [], "it has just begun"
    hand.channel.now = Glance(1, since=time.time() - 10)
    assert [job.number for job in hand.idle_jobs()] == [2, 3, 4, 5]
    assert hand.channel.recalled == 1
    assert hand.held == 1
    assert hand.done(Report(2, "late", 0.0, 1.0)) is None, "others were given it"
    done = hand.done(Report(1, "x", 0.0, 1.0))
    assert (done.job.number, done.outcome, done.finished) == (1, "x", "1970-01-01T00:00:01.000+00:00")
    assert hand.held == 0


def test_the_job_of_a_worker_that_died_is_the_one_it_told_of():
    hand = quick_hand(4)
    assert hand.job_of(Glance(3)).number == 3
    assert hand.job_of(Glance(0)).number == 1
    assert hand.job_of(Glance(99)).number == 1
    assert [job.number for job in hand.drop()] == [1, 2, 3, 4]
    assert hand.job_of(Glance(3)) is None


def test_what_has_ended_is_told_whatever_the_next_job_does():
    """Quick jobs are told of together, but none waits for the end of another one."""
    ours, theirs = Pipe()
    outbox = Outbox(theirs)
    reports = [Report(number, None, 0.0, 0.0) for number in range(3)]
    for report in reports:
        outbox.put(report)
    heard = []
    while len(heard) < 3:
        assert ours.poll(30), "nobody called it again, and it told nevertheless"
        heard += ours.recv()
    assert heard == reports


class Turning:
    """Plays at once, but for one game that takes long."""

    name = "turning"
    games = 0

    def begin(self, game, side, rng):
        Turning.games += 1

    def choose(self, position, budget):
        if Turning.games == 30 and position.ply < 2:
            time.sleep(1.5)
        return position.legal_moves()[0]

    def close(self):
        pass


def test_long_games_after_quick_ones_are_shared_out():
    """One worker is given many games ahead, and then one takes long: others do the rest meanwhile."""
    queue = Queue(60)
    with Crew(games("python:test_crew:Turning", "python:test_crew:Turning"), 2) as crew:
        done = list(crew.do(queue))
    assert numbers(done) == list(range(1, 61))
    assert len(queue.back) <= 2 * 60, "they are not passed to and fro"
    if queue.back:
        assert max(Counter(queue.back).values()) <= 2


class Scripted:
    """A place whose workers do as `script` says: each entry is one that waits to be asked."""

    def __init__(self, lives):
        self.lives, self.started = list(lives), 0

    def room(self, wanted):
        return wanted

    def start(self, work, slot, count, warms, log):
        self.started += 1
        return Actor(self.lives.pop(0) if self.lives else None)

    def wait(self, channels, seconds):
        spoken = [channel for channel in channels if channel.speaks]
        if not spoken:
            time.sleep(min(seconds, 0.02))
        return spoken

    def close(self):
        pass


class Actor(Line):
    """A worker that dies in the job number `dies_in`, with side 1 to move."""

    def __init__(self, dies_in):
        super().__init__()
        self.dies_in, self.jobs, self.greeted = dies_in, [], False

    def send(self, jobs):
        self.jobs += jobs

    @property
    def speaks(self):
        return not self.greeted or bool(self.jobs)

    def receive(self):
        if not self.greeted:
            self.greeted = True
            return [Ready()]
        job = self.jobs.pop(0)
        if self.dies_in == "start" or job.number == self.dies_in:
            self.now = Glance(job.number, 1, ("b2",), since=5.0)
            raise EOFError
        return [Report(job.number, "played", 0.0, 0.001)]

    def ended(self):
        return "signal 9"

    def memory(self):
        return 0

    def stop(self):
        pass

    def close(self):
        pass


@pytest.mark.parametrize(("deaths", "outcome"), [([3], "played"), ([3, 3], "lost")])
def test_a_job_whose_worker_dies_is_done_again_once_wherever_workers_run(deaths, outcome):
    class Lost(Games):
        def lost(self, job, side, fault, moves):
            return side, str(fault), tuple(moves)

    place, queue = Scripted(deaths), Queue(6)
    work = Lost(**vars(games()))
    with Crew(work, 1, place=place) as crew:
        done = list(crew.do(queue))
    assert numbers(done) == [1, 2, 3, 4, 5, 6]
    assert place.started == len(deaths) + 1
    found = next(each.outcome for each in done if each.job.number == 3)
    assert found == (outcome if outcome == "played" else (1, "its process died twice (signal 9)", ("b2",)))


class Squares:
    """Work that is no game: squares of the jobs' numbers."""

    def bench(self):
        return self

    def warm(self):
        pass

    def do(self, job, on_turn):
        return job.number**2

    def close(self):
        pass

    def lost(self, job, side, fault, moves):
        return None


@dataclass(frozen=True)
class Task:
    number: int


def test_any_work_is_done_by_a_crew():
    done = list(do_all(Squares(), map(Task, range(1, 301)), 2))
    assert {each.job.number: each.outcome for each in done} == {number: number**2 for number in range(1, 301)}
