"""Sweeps: many experiments that differ in chosen settings, each from several seeds, on one core or on a cluster.

`plan`: what is to be trained, checked before anything starts. `cost`: about how long that takes. `executors`: where it is trained.
`carry_out`: what is not done yet is trained there. `store`: what came of it, in a file that outlives every interruption. `answers`: which
cells are best, as far as the seeds can tell. `python -m mlp_core.sweep` does it all from a shell.
"""
