"""Every fact that the screen can show, the sentences, and the work that changes them."""

from blood_lib.dashboard.state.state import (
    EXCLUDED,
    TABS,
    THEMES,
    UNIDENTIFIED,
    Cell,
    Command,
    DashboardState,
    Download,
    Progress,
    RejectedFile,
)

__all__ = [
    "Cell",
    "Command",
    "DashboardState",
    "Download",
    "EXCLUDED",
    "Progress",
    "RejectedFile",
    "TABS",
    "THEMES",
    "UNIDENTIFIED",
]
