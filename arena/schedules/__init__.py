"""Who meets whom, how often and from which openings."""
