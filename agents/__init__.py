"""Agents: random, planners and what is learned inside the dream."""
