"""What activations do: their curves, what they make of a distribution, what they cost."""
