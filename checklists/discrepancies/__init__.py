"""Tapak: declared operations against what was observed."""
