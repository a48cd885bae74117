"""Figures as the pages write them."""


def elo_text(elo: float) -> str:
    """A rating in whole points, with a minus sign that is one."""
    return f"{round(elo):d}".replace("-", "\N{MINUS SIGN}")


def signed(elo: float) -> str:
    """A difference in whole points with its sign."""
    return f"{round(elo):+d}".replace("-", "\N{MINUS SIGN}") if round(elo) else "0"


def percent(share: float) -> str:
    """A share (0..1) with one decimal: "62.5 %"."""
    return f"{100 * share:.1f} %"


def likelihood(share: float) -> str:
    """A share as `percent` writes it, which never claims certainty."""
    return "> 99.9 %" if share > 0.9995 else percent(share)


def clock(seconds: float) -> str:
    """A time in the unit that suits it: "85 ms", "3.2 s", "4:05"."""
    if seconds < 0.9995:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 99.95:
        return f"{seconds:.1f} s"
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def span(seconds: float) -> str:
    """A time to wait, roughly: "40 s", "12 min", "3 h 20 min"."""
    if seconds < 59.5:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def ratio(value: float) -> str:
    """A log-likelihood ratio with its sign: "+1.25"."""
    return f"{value:+.2f}".replace("-", "\N{MINUS SIGN}")


def plain(value: float) -> str:
    """A figure as it was given: "5", "-2.5"."""
    return f"{value:g}".replace("-", "\N{MINUS SIGN}")
