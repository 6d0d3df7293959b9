"""The server's settings: one frozen value, read once from the command line and environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

S3_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are and how to serve them. `data` holds database, files and keys by default."""

    data: Path
    database_url: str = field(repr=False)  # it may hold a password
    public_url: str
    secure_cookies: bool = False
    session_hours: int = 12
    max_page_rows: int = 200
    # An S3 bucket; None: files lie in the data folder. It may carry keys, so it is never shown.
    files_url: str | None = field(default=None, repr=False)
    s3_endpoint: str = ""

    @property
    def files(self) -> Path:
        return self.data / "files"

    @property
    def previews(self) -> Path:
        return self.data / "previews"

    @property
    def incoming(self) -> Path:
        """Where bytes wait on disk until they are known to be whole."""
        return self.data / "incoming"

    @property
    def keys(self) -> Path:
        return self.data / "keys"


def read_settings(
    data: Path,
    *,
    public_url: str = "http://127.0.0.1:8040",
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Settings for this data folder; TAPAK_DATABASE, TAPAK_FILES and TAPAK_PUBLIC_URL override the
    defaults.
    """
    folder = data.resolve()
    url = environ.get("TAPAK_PUBLIC_URL", public_url)
    return Settings(
        data=folder,
        database_url=environ.get("TAPAK_DATABASE", f"sqlite:///{folder / 'tapak.sqlite'}"),
        public_url=url,
        secure_cookies=url.startswith("https:"),
        files_url=environ.get("TAPAK_FILES") or None,
        s3_endpoint=next((environ[name] for name in S3_ENDPOINTS if environ.get(name)), ""),
    )
