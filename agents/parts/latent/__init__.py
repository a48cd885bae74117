"""Latent dynamics for PlaNet and both Dreamers: the RSSM, its losses, its senses, and behaviour learned in it."""
