"""Planning over a model of the dynamics: cross-entropy methods, path integrals, and gradients."""
