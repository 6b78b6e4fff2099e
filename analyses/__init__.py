"""Videos, their analyses and results: stored, owned, queued, shown and exported."""
