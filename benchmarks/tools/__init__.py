"""What several measurements share and no command of its own: images, corruptions, scores, options."""
