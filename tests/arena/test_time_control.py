"""Time controls: read, written back, and played through in simulated games of every kind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sakiyomi.arena.clock import GameClock, Stage, TimeControl, parse_time
from sakiyomi.boards.clock import Clock


def played(text: str, spans: list[float], margin: float = 0.0) -> tuple[list[Clock], bool]:
    """The first player's clock before and after moves that take so long, and whether its flag has fallen."""
    clock = GameClock((parse_time(text), parse_time("1000")), margin)
    seen = [clock.sides[0]]
    for span in spans:
        if not clock.press(0, span):
            assert clock.sides[0] == seen[-1]
            return seen, True
        seen.append(clock.sides[0])
    assert clock.sides[1] == parse_time("1000").start()
    return seen, False


# --- reading


@pytest.mark.parametrize(
    ("text", "control"),
    [
        ("300", TimeControl((Stage(300),))),
        ("5:00", TimeControl((Stage(300),))),
        ("60+0.6", TimeControl((Stage(60, 0.6),))),
        ("40/300", TimeControl((Stage(300, 0, 40),))),
        ("40/5:00+3", TimeControl((Stage(300, 3, 40),))),
        ("40/300; 60+2", TimeControl((Stage(300, 0, 40), Stage(60, 2)))),
        ("600,5x30", TimeControl((Stage(600),), 30, 5)),
        (" 5:05 , 2 x 30 ", TimeControl((Stage(305),), 30, 2)),
        ("0.0000001+0.1234567", TimeControl((Stage(1e-7, 0.1234567),))),
        ("0,10", TimeControl((Stage(0),), 10)),
        ("600,15/300", TimeControl((Stage(600),), 300, 1, 15)),
    ],
)
def test_every_form_is_read(text, control):
    assert parse_time(text) == control
    assert parse_time(control.text) == control


WRONG = ["", "fast", "0", "-5", "60+", "40/", "0/60", "60;40/60", "600,", "600,0x30", "600,5x30x2", "40/300,10", "1e3"]
WRONG += ["5 30", "6 0", "5:90", "5:5", "40/0;60,10", "600,5x0", "9" * 400 + ":00", "1" * 5000 + "/60", "٣٠٠"]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_time_control_is_refused_with_the_forms(text):
    with pytest.raises(ValueError, match="is no time control") as caught:
        parse_time(text)
    assert "\n" not in str(caught.value)


NUMBERS = st.floats(0, 1e9, exclude_min=True, exclude_max=True)


@given(
    st.lists(st.builds(Stage, NUMBERS, st.just(0.0) | NUMBERS, st.integers(1, 99)), max_size=2),
    st.builds(Stage, NUMBERS, st.just(0.0) | NUMBERS),
    st.sampled_from([(0.0, 1, 1), (30.0, 5, 1), (300.0, 1, 15), (0.5, 1, 1)]),
)
def test_texts_are_read_back(stages, last, overtime):
    control = TimeControl((*stages, last), *overtime)
    assert parse_time(control.text) == control


# --- games of each kind


def test_sudden_death():
    seen, fell = played("10", [4, 5, 1.0001])
    assert ([clock.left for clock in seen], fell) == ([10, 6, 1], True)
    assert played("10", [10])[1] is False


def test_increments_are_added_after_the_move():
    seen, fell = played("10+2", [4, 8, 2, 2.5])
    assert ([clock.left for clock in seen], fell) == ([10, 8, 2, 2], True)


def test_moves_of_a_session_and_what_is_left_of_it():
    seen, _ = played("3/10", [1, 2, 3, 4, 1])
    assert [(clock.left, clock.moves_to_go) for clock in seen] == [(10, 3), (9, 2), (7, 1), (14, 3), (10, 2), (9, 1)]


def test_sessions_follow_each_other_and_the_last_one_lasts():
    seen, _ = played("2/10;5+1", [1, 1, 3, 4])
    assert [(clock.left, clock.moves_to_go, clock.increment) for clock in seen] == [
        (10, 2, 0),
        (9, 1, 0),
        (13, None, 1),
        (11, None, 1),
        (8, None, 1),
    ]
    seen, _ = played("1/5;1/3", [1, 1, 1])
    assert [clock.left for clock in seen] == [5, 7, 9, 11]


def test_byo_yomi_periods_are_lost_when_overstepped():
    seen, fell = played("5,3x10", [4, 1, 10, 10.5, 20, 10, 10.01])
    assert [(clock.left, clock.periods, clock.overtime) for clock in seen] == [
        (5, 3, False),
        (1, 3, False),
        (0, 3, False),
        (0, 3, True),
        (0, 2, True),
        (0, 1, True),
        (0, 1, True),
    ]
    assert fell
    assert played("5,3x10", [34])[0][-1].periods == 1
    assert played("5,3x10", [35.5])[1]


def test_overtime_is_for_the_last_stage_alone():
    seen, fell = played("2/5;3,10", [1, 2, 6, 9])
    assert [(clock.left, clock.byoyomi, clock.overtime) for clock in seen] == [
        (5, 0, False),
        (4, 0, False),
        (5, 10, False),
        (0, 10, True),
        (0, 10, True),
    ]
    assert not fell
    assert played("2/5;3,10", [1, 4.5])[1] is True
    assert played("1/5;0,10", [5, 10])[0][1] == Clock(0, byoyomi=10, overtime=True)


def test_there_is_no_increment_in_a_byo_yomi():
    seen, _ = played("5+1,10", [2, 5, 10])
    assert [(clock.left, clock.increment) for clock in seen] == [(5, 1), (4, 1), (0, 0), (0, 0)]


def test_a_byo_yomi_alone_gives_each_move_the_same():
    seen, fell = played("0,10", [10, 10, 9, 10.01])
    assert all(clock.allowed == 10 for clock in seen)
    assert fell


def test_canadian_overtime():
    seen, fell = played("5,3/30", [4, 2, 10, 10, 1, 29, 0.5, 0.6])
    assert [(clock.left, clock.moves_to_go, clock.overtime) for clock in seen] == [
        (5, None, False),
        (1, None, False),
        (29, 2, True),
        (19, 1, True),
        (30, 3, True),
        (29, 2, True),
        (0, 1, True),
    ]
    assert fell


def test_a_margin_is_no_gift_where_there_is_no_overtime():
    """What is overstepped within the margin is a debt."""
    seen, fell = played("1+0.5", [1.2, 0.3, 0.5, 0.7], margin=0.25)
    assert [round(clock.left, 9) for clock in seen] == [1, 0.3, 0.5, 0.5, 0.3]
    assert not fell
    assert played("1", [1.25], margin=0.25)[1] is False
    assert played("1", [1.26], margin=0.25)[1] is True
    assert played("0,1", [1.2] * 50, margin=0.25)[1] is False


CONTROLS = st.sampled_from(["60", "10+1", "5/10", "3/10+0.5;20+1", "5,3x10", "0,2", "5,4/20", "20+1,2", "4/9;3,2x5"])


@given(CONTROLS, st.lists(st.floats(0, 1), max_size=60), st.sampled_from([0.0, 0.3]))
def test_whoever_stays_within_what_is_allowed_never_loses_on_time(text, shares, margin):
    clock = GameClock((parse_time(text), parse_time(text)), margin)
    for number, share in enumerate(shares):
        side = number % 2
        assert clock.press(side, max(clock.sides[side].allowed, 0.0) * share)


@given(CONTROLS, st.lists(st.floats(0, 12), max_size=30), st.floats(0.001, 50), st.sampled_from([0.0, 0.3]))
def test_whoever_takes_more_than_allowed_and_the_margin_loses_at_once(text, spans, late, margin):
    clock = GameClock((parse_time(text), parse_time(text)), margin)
    for span in spans:
        allowed = clock.sides[0].allowed
        assert clock.press(0, span) is (span - allowed <= margin)
        assert not clock.press(0, clock.sides[0].allowed + margin + late)


@given(CONTROLS, st.lists(st.floats(0, 5), max_size=40))
def test_no_time_is_made_or_lost_without_overtime(text, spans):
    """What is left is what was given, less what was spent."""
    control = parse_time(text)
    if control.period:
        return
    clock, stages, stage, made = GameClock((control, control)), control.stages, 0, 0
    given_so_far, spent = stages[0].seconds, 0.0
    for span in spans:
        if not clock.press(0, span):
            break
        spent, made = spent + span, made + 1
        given_so_far += stages[stage].increment
        if stages[stage].moves == made:
            stage, made = min(stage + 1, len(stages) - 1), 0
            given_so_far += stages[stage].seconds
    assert clock.sides[0].left == pytest.approx(given_so_far - spent, abs=1e-9)


@given(CONTROLS, st.integers(1, 150))
def test_sharing_out_the_time_never_loses_it(text, moves):
    """`Clock.seconds` leaves the overhead of each move, whatever the control."""
    overhead = 0.002
    clock = GameClock((parse_time(text), parse_time(text)))
    for _ in range(moves):
        assert clock.press(0, clock.sides[0].seconds(overhead) + overhead / 2)
