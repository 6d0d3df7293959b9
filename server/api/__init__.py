"""The JSON API for devices and programs: thin views that validate, act and present."""

from __future__ import annotations

from flask_smorest import Blueprint

from server.api import (
    assignments,
    bundles,
    declarations,
    enrol,
    facilities,
    files,
    generation,
    health,
    own_lines,
    session,
    sync,
)

BLUEPRINTS: tuple[Blueprint, ...] = (
    health.blueprint,
    enrol.blueprint,
    sync.blueprint,
    generation.blueprint,
    own_lines.blueprint,
    files.blueprint,
    session.blueprint,
    facilities.blueprint,
    declarations.blueprint,
    assignments.blueprint,
    bundles.blueprint,
)
