"""What the page "Stability" measures of its own: products in a number format, singular values, planes of gradients."""
