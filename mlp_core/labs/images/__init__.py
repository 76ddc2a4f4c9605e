"""A visitor's own picture: read safely, made ready as the training images were, and compared with them."""
