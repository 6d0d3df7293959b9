"""The commands, grouped by what the auditor is doing."""
