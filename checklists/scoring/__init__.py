"""Answers and evidence -> a score, every point of it explained."""
