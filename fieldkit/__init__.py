"""Tapak: the auditor's side, offline first."""
