"""The library's own files with one line changed: each is refused, remarked on, or read as written."""
