"""Tapak: what travels and what both sides must agree on."""
