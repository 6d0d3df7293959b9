"""The library's own files with one line changed: each is told, or read as written."""
