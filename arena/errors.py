"""What goes wrong outside the program and the players: disks, processes."""


class Failure(RuntimeError):
    """Something that a person can mend; the message is one line that says what, where, and what to do."""
