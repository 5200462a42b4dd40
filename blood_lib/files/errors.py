"""The one error that is made for a user's eyes; everything else that is raised is a defect.

Where it is shown is left to the command line and the page.
"""

__all__ = ["BloodError"]


class BloodError(Exception):
    """What went wrong and what to do about it, in one plain sentence made for the user's eyes."""
