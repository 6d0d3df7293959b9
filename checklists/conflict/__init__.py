"""Tapak: conflict events near a place, and what they add up to."""
