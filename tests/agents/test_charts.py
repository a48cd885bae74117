"""Charts of numbers as pixels: where they lie, by hand."""

import numpy as np

from sakiyomi.agents.parts.episodes.charts import BACK, MARGIN, NOW, Line, chart

RED, BLUE = (255, 0, 0), (0, 0, 255)


def where(picture, colour):
    return np.argwhere((picture == colour).all(axis=2)).tolist()


def test_least_is_at_the_bottom_greatest_at_the_top():
    picture = chart([Line(np.array([0.0, 10.0]), RED)], 2, (0.0, 10.0), (MARGIN * 2 + 5, 2), now=0)
    assert [MARGIN + 4, 0] in where(picture, RED)
    assert [MARGIN, 1] in where(picture, RED)
    assert where(picture, BACK)


def test_steps_lie_side_by_side_and_lines_begin_where_they_are_to():
    rows, columns = 2 * MARGIN + 1, 9
    lines = [Line(np.zeros(5), RED), Line(np.zeros(3), BLUE, begin=2)]
    picture = chart(lines, 5, (0.0, 0.0), (rows, columns), now=1)
    assert where(picture, RED) == [[MARGIN, column] for column in range(4)]
    assert where(picture, BLUE) == [[MARGIN, column] for column in range(4, 9)]  # over the first
    assert {column for _, column in where(picture, NOW)} == {2}


def test_a_steep_line_has_no_holes_and_an_empty_one_nothing():
    picture = chart([Line(np.array([0.0, 1.0, 0.0]), RED), Line(np.zeros(0), BLUE)], 3, (0, 1), (40, 3), now=2)
    assert {row for row, column in where(picture, RED) if column == 0} == set(range(MARGIN, 40 - MARGIN))
    assert not where(picture, BLUE)
