"""Where the committed notebooks look for `Network`, until they run again."""

from blood_lib.inference.network import Network

__all__ = ["Network"]
