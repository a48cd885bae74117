"""Mathematics that agents share: search trees, and later networks, replay and models."""
