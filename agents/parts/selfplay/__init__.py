"""Learning by self-play: games side by side, here or on a cluster, and the replay of them."""
