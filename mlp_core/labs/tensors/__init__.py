"""The tensor warm-up: operations on small tensors, how their shapes line up, and the gradient across a contour."""
