"""The dashboard: everything that needs widgets, put together as `App`; the core computes.

Importing this package loads nothing, so that `blood --help` stays instant; `App` loads when it is asked for.
"""

__all__ = ["App"]


def __getattr__(name: str) -> object:
    if name == "App":
        from .app import App

        return App
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
