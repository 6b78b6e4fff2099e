"""The REST API: thin views over ``analyses.access`` and ``analyses.services``."""
