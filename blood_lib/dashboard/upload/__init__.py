"""Where files come in: images, reviews and bundles."""
