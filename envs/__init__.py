"""Environments: the dream, built-in games and prepared real environments."""
