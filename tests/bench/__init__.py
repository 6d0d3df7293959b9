"""Benchmarks: each figure beside its floor, measured in one run, given as a ratio."""
