"""Readers of the layouts that data sets come in. ``detector.training.labels`` is the door to them."""
