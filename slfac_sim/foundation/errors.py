"""The one family of errors that a user can cause, and mend; everything else is a defect of ours."""


class BadInput(ValueError):
    """Input that cannot be used: its message names the place, what was found and what is allowed.

    The command line prints the message alone, without a traceback, and exits with status 2.
    """
