"""The map: reference cells, their features, and where a new cell belongs among them."""

from blood_lib.atlas.atlas import Atlas, Zones

__all__ = ["Atlas", "Zones"]
