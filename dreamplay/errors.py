"""The one kind of error a user can cause."""


class UserError(Exception):
    """A mistake by the user: one line that names what was wrong and what to do. The command line exits with status 2."""
