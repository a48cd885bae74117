"""PETS: ensembles of probabilistic networks and trajectory sampling."""
