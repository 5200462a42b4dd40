"""The tests lie as the package does. Here is what all of them may need to know: where the checkout is."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
