"""The server's settings: one frozen value, read once from the command line and environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Where things are and how to serve them. `data` holds database, files and keys by default."""

    data: Path
    database_url: str = field(repr=False)  # it may hold a password
    public_url: str
    secure_cookies: bool = False
    session_hours: int = 12
    max_page_rows: int = 200

    @property
    def files(self) -> Path:
        return self.data / "files"

    @property
    def keys(self) -> Path:
        return self.data / "keys"


def read_settings(
    data: Path,
    *,
    public_url: str = "http://127.0.0.1:8040",
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Settings for this data folder; TAPAK_DATABASE and TAPAK_PUBLIC_URL override the defaults."""
    folder = data.resolve()
    url = environ.get("TAPAK_PUBLIC_URL", public_url)
    return Settings(
        data=folder,
        database_url=environ.get("TAPAK_DATABASE", f"sqlite:///{folder / 'tapak.sqlite'}"),
        public_url=url,
        secure_cookies=url.startswith("https:"),
    )
