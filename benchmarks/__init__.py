"""Measurements that the documents quote. Each writes a CSV file with hardware, versions and commit."""
