"""Serving: gunicorn with threads, which streams request bodies; on PostgreSQL several processes."""

from __future__ import annotations

import socket
from typing import Any

import click
from gunicorn.app.base import BaseApplication

from server import create_app
from server.context import open_context
from server.settings import Settings
from sync.problems import problem

THREADS = 32
GRACE_SECONDS = 20


def serve(settings: Settings, host: str, port: int, workers: int = 1) -> None:
    """Bring the tables up to date and serve until SIGTERM or SIGINT; requests under way finish.

    Port 0 takes a free one. One line on standard output says where it serves, once it does.
    Raises what `open_context` raises, `one-process` for several on SQLite, and `address-in-use`.
    """
    db = open_context(settings).db
    db.close()
    if workers > 1 and not db.backend.several_processes:
        raise problem("one-process", workers=workers)
    _check_address(host, port)
    Application(settings, host, port, workers).run()


def _check_address(host: str, port: int) -> None:
    """Gunicorn tries a busy address again and again; a person wants to be told at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as exc:
            why = getattr(exc, "strerror", None) or str(exc)
            raise problem("address-in-use", address=f"{host}:{port}", why=why) from exc


class Application(BaseApplication):  # type: ignore[misc]
    """Gunicorn with the house's settings and none from its command line or environment."""

    def __init__(self, settings: Settings, host: str, port: int, workers: int = 1) -> None:
        self.settings = settings
        self.workers = workers
        self.address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        super().__init__()

    def load_config(self) -> None:
        chosen: dict[str, Any] = {
            "bind": self.address,
            "worker_class": "gthread",
            "workers": self.workers,
            "threads": THREADS,
            "timeout": 120,
            "graceful_timeout": GRACE_SECONDS,
            "keepalive": 5,
            "loglevel": "warning",
            "control_socket_disable": True,
            "proc_name": "tapak",
            "when_ready": _say_where,
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        # Made in the worker, after the fork: no open database may be shared across it.
        return create_app(self.settings)


def _say_where(arbiter: Any) -> None:
    for listener in arbiter.LISTENERS:
        host, port = listener.sock.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        click.echo(f"Tapak serves at http://{shown}:{port}")
