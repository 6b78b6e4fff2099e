"""What the inference child says of itself: a few plain values in memory that it shares with its worker.

Written by the child after each request and read by the worker's pulse at any time. A value that is read while
it is written is off by one request, and the next pulse puts it right, so nothing is locked.
"""

import ctypes


class Vitals(ctypes.Structure):
    """``model_sha256`` is empty until a model is loaded; sizes are bytes, 0 without a GPU."""

    _fields_ = (
        ("model_sha256", ctypes.c_char * 65),
        ("gpu_used", ctypes.c_uint64),
        ("gpu_total", ctypes.c_uint64),
    )

    model_sha256: bytes
    gpu_used: int
    gpu_total: int
