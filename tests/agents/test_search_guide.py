"""docs/search.md holds: its code runs and finds what the page says."""

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np

from sakiyomi.agents.parts.search import Gumbel

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "search.md").read_text("utf-8")


def test_the_code_finds_what_the_page_says():
    first, more, own = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    names = {"__name__": "guide"}
    with redirect_stdout(StringIO()) as said:
        exec(first, names)
        assert (names["found"].proportions(0.0).argmax(axis=1) == 0).all()  # four in a row in the first column
        assert (names["found"].certain == 1).all()
        exec(more, names)
        search = names["search"]
        assert (search.findings(np.arange(64)).visits.sum(axis=1)[32:] == 50).all()
        exec(own, names)
    assert (names["arms"].gumbel_actions(Gumbel()) == 1).all()
    np.testing.assert_allclose(names["arms"].means[0], [0, 1, 0])
    assert said.getvalue().count("\n") >= 4
