"""Training runs: what lasts of them, settings from texts, files that survive a kill, logs and plots."""
