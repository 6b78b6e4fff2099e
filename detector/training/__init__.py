"""Training of the detector's models. Serving never imports this package."""
