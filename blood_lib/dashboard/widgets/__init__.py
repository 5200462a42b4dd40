"""What all areas of the page share: the base of every widget, its scripts, pictures and markers."""
