"""What the page "Stability" computes of its own: what mean-field theory predicts, products in a number format, singular values, maps."""
