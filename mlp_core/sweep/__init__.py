"""Sweeps: many experiments that differ in chosen settings, each from several seeds, on one core or on a cluster.

`plan`: what is to be trained, checked before anything starts. `store`: what came of it, in a file that outlives every interruption.
"""
