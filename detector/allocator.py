"""How the C library keeps memory that was freed."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
LARGEST = 2**31 - 1


def keep_freed_memory() -> None:
    """Keep large freed blocks for the next layer or picture.

    glibc gives blocks over 32 MB back to the system at once, and the system clears each page anew when it is
    asked for again: a third of a network's time on a CPU. All threads share one heap, since those that glibc
    makes for further threads are too small for such blocks. Other C libraries are left as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:
        return
    mallopt(M_MMAP_THRESHOLD, LARGEST)
    mallopt(M_TRIM_THRESHOLD, LARGEST)
    mallopt(M_ARENA_MAX, 1)
