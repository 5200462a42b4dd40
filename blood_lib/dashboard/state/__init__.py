"""Every fact that the screen can show, the sentences, and the work that changes them."""

from blood_lib.dashboard.state.state import (
    DECIDED,
    EXCLUDED,
    TABS,
    THEMES,
    UNIDENTIFIED,
    Cell,
    DashboardState,
    Download,
    Lesson,
    Progress,
    RejectedFile,
    known,
)

__all__ = [
    "Cell",
    "DECIDED",
    "DashboardState",
    "Download",
    "EXCLUDED",
    "Lesson",
    "Progress",
    "RejectedFile",
    "TABS",
    "THEMES",
    "UNIDENTIFIED",
    "known",
]
