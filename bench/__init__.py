"""Measurements, each beside its floor in the same run: `make bench`, explained in README.md."""
