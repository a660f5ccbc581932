"""The one kind of error a user can cause."""


class UserError(Exception):
    """A mistake by the user: one line that says what was wrong and what to do; the command line exits with status 2."""
