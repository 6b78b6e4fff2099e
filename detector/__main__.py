"""``python -m detector``."""

import os
import sys

# OpenMP threads that spin while they wait make a busy machine ten times slower; torch reads this as it loads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")

from detector.command_line import main

if __name__ == "__main__":
    sys.exit(main())
