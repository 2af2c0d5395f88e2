"""The one exception that stands for a mistake of the user's, not a fault of ours.

It knows nothing of terminals or exit codes: the command line turns it into one line and exit
code 2. Every other exception is a bug and keeps its traceback.
"""


class UserError(Exception):
    """A mistake the user can put right.

    The message is one line that names the culprit, its value, and the next command to run:
    ``No profile 'toybx'. Known: toybox. Try lmmscope doctor --profile toybox``.
    """
