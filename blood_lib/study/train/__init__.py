"""Training: networks, their recipes, and what changes an image on its way into them."""
