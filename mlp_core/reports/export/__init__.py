"""A run as files: a program or notebook that repeats it, curves, weights, and the whole experiment."""
