"""One thread for every library that computes: threads of their own fight with each other, and with other processes."""

import os

SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMEXPR_NUM_THREADS")


def keep_to_one_thread() -> None:
    """Have NumPy, PyTorch and what they multiply with take one thread each, whatever the environment asked for.

    To be called before the first of them is imported, since each asks once. The jobs take turns on one thread, so that a second could only
    wait for a core that the server or another process has: a training in NumPy then took twelve times as long.
    """
    os.environ.update(dict.fromkeys(SETTINGS, "1"))
