"""Checklists as XLSForms and back: docs/xlsform.md says what maps to what, and what does not."""
