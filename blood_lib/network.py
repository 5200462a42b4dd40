"""Where the committed notebooks look for `Network`, which they call with a bundle, until they run again."""

from blood_lib.inference import network

__all__ = ["Network"]

Network = network.Network.from_bundle
