"""Several seeds of one design trained at once as batched matrix products."""
