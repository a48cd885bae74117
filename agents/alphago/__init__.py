"""AlphaGo (Silver et al., Nature 529:484, 2016): the whole pipeline, from game records to a player."""
