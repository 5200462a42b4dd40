"""Every fact that the screen can show, the sentences, and the work that changes them."""

from blood_lib.dashboard.state.fields import Box, Field
from blood_lib.dashboard.state.state import (
    DECIDED,
    EXCLUDED,
    FIELDS,
    TABS,
    THEMES,
    UNIDENTIFIED,
    Cell,
    DashboardState,
    Download,
    Kept,
    Lesson,
    Progress,
    RejectedFile,
    known,
)

__all__ = [
    "Box",
    "Cell",
    "DECIDED",
    "DashboardState",
    "Download",
    "EXCLUDED",
    "FIELDS",
    "Field",
    "Kept",
    "Lesson",
    "Progress",
    "RejectedFile",
    "TABS",
    "THEMES",
    "UNIDENTIFIED",
    "known",
]
