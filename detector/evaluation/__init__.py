"""Measuring the detector. Serving never imports it."""
