"""Single-player tasks in the arena: agents play the same episodes, and their returns are compared.

`tournament.py` plays (`TaskTournament`), `episodes.py` is one episode, `players.py` makes agents of specs, `store.py`
keeps what was played, `statistics.py` has the mathematics, `standings.py` the tables, `report.py` the page.
"""
