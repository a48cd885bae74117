"""Gaussian process dynamical models: a smooth path in few latent dimensions behind observations of many.

J. Wang, D. Fleet and A. Hertzmann, "Gaussian Process Dynamical Models for Human Motion", IEEE PAMI 30(2), 2008, and
"Gaussian Process Dynamical Models", NIPS 2005. NumPy and SciPy alone, float64, every gradient exact. Read `motions`
(the data), `kernels`, `transitions`, `terms` and `posterior` (the model), `learning` and `two_stage` (its four ways to
learn), `model`, `paths` and `missing` (what it is good for).
"""
