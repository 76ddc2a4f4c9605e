"""Multilayer perceptrons: specified, trained, measured, predicted. Everything that is true without a screen.

What to read, in this order:

1. `spec` (with `bounds`): `RunSpec`, the experiment as one frozen, validated value, and `PRESETS`. `records`: what happened, as
   plain data: steps, epochs, layers. `words`: numbers as a person reads them.
2. `activations`, `initializers`, `optimizers`, `losses`: the registries, one entry a thing and everything about it in that entry.
   `expression`: a visitor's own activation, parsed and compiled to an entry like any other.
3. `network`: from a spec to a network: `nn.Sequential` ("concise"), bare tensors ("scratch") and without autograd too ("by_hand"),
   several seeds in one ("batched").
4. `training.run`: `Run`, the heart. Its docstring shows the plain loop that it is. Around it: `training.state` (what it needs while it
   trains), `inspection` (a look inside), `checkpoints` (steps to go back to), `replicates` (several networks at once).
5. `jobs`: `TrainingJob`, a run that goes on while nobody calls it, and the one `Scheduler` of a process that gives every job its turns.
6. `data`: Fashion-MNIST, found or downloaded, verified, read. `runtime`: what depends on the machine: devices, products, memory.
7. `stability`: products of random matrices, signal and gradient through depth, measured. `theory`: the Lyapunov exponents of such
   products, and expectations over a normal variate.

The engine ends here. Beside it, and never imported by it: `labs`, what single pages compute; `reports`, what is said about finished work:
diagnosis, comparison, export; `sweep`, many experiments, on one core or on a cluster.

Imports go down only (`tests/test_architecture.py`): registries, theory, data → expression → network → training → jobs.
"""
