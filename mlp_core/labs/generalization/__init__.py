"""Capacity, weight decay and dropout: small problems with many seeds, in closed form or trained on the spot."""
