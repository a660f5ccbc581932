"""What is wrong with an environment, a data folder or a run, and what to do about it."""
