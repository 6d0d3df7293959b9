"""Tapak: the staff's side."""
