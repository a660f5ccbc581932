"""A dream played in a window beside the real game, or recorded without one."""
