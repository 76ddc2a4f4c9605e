"""A run as a program of its own: plain PyTorch that prints the same losses, as a script or a notebook."""
