"""What stands beside every figure of a run."""

import os
from datetime import UTC, datetime


def run_facts(**own: object) -> dict[str, object]:
    """Columns of a CSV. ``load_before`` is how many processes wanted a core before the run began.

    Where it isn't near zero the machine had other work, and the times are longer than they need be.
    """
    from detector.evaluation.machine import machine_facts

    load = f"{os.getloadavg()[0]:.1f}"
    return {**own, "date": datetime.now(UTC).date().isoformat(), "load_before": load, **machine_facts()}
