"""Every fact that the screen can show, the sentences, and the work that changes them."""

from blood_lib.dashboard.state.state import (
    EXCLUDED,
    TABS,
    THEMES,
    UNIDENTIFIED,
    Cell,
    DashboardState,
    Download,
    Progress,
    RejectedFile,
    known,
)

__all__ = [
    "Cell",
    "DashboardState",
    "Download",
    "EXCLUDED",
    "Progress",
    "RejectedFile",
    "TABS",
    "THEMES",
    "UNIDENTIFIED",
    "known",
]
