"""Tapak: the shared standard - what is asked and how it is judged."""
