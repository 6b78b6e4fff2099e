"""Training of the detector's models. Serving never imports it."""
