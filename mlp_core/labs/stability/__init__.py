"""What the page "Vanishing and exploding" measures of its own: products in a number format, singular values, planes of gradients."""
