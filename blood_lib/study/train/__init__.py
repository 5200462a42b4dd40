"""Training: networks, their recipes, and the changes to an image on its way into a network."""
