"""Why nonlinearity: layers that collapse into one, the perceptron, and points in the plane."""
