"""Figures of tasks as tables and pages write them."""

import math


def figure(value: float) -> str:
    """A score in about four digits: "28.61", "1204", "0.0034", with a minus sign that is one; "" if there is none."""
    if math.isnan(value):
        return ""
    if value == 0:
        return "0"
    digits = max(0, 3 - math.floor(math.log10(abs(value)))) if abs(value) < 1000 else 0
    text = f"{value:.{min(digits, 4)}f}"
    if float(text) == 0:
        text = "0"
    return text.replace("-", "\N{MINUS SIGN}")
