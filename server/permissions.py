"""Who may do what, as data that one can grep: roles to permissions, addresses to permissions.

Deny by default: an endpoint without a line in ROUTES is refused, and a test says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Grant = tuple[str, str]  # role, jurisdiction


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is asking. A device carries its person; a person carries grants and a CSRF token."""

    kind: Literal["anonymous", "device", "person"]
    person: str | None = None
    person_name: str = ""
    device: str | None = None
    grants: tuple[Grant, ...] = ()
    csrf: str = ""


ANONYMOUS = Principal("anonymous")

# Every asker has the permissions of "anonymous", every person those of "person", every device
# those of "device"; the others come by a grant, for a jurisdiction and all below it.
ROLES: dict[str, frozenset[str]] = {
    "anonymous": frozenset({"health.read", "docs.read", "login.use", "enrol.use"}),
    "device": frozenset({"sync.exchange", "generation.use", "files.send"}),
    "person": frozenset({"session.use"}),
    "auditor": frozenset(),  # works through the devices enrolled for the person
    "officer": frozenset(
        {
            "assignments.read",
            "assignments.write",
            "bundles.read",
            "conflicts.resolve",
            "declarations.write",
            "facilities.read",
            "files.read",
            "flags.read",
            "hazards.acknowledge",
            "inspections.read",
            "logs.admit",
            "registry.read",
            "scores.read",
            "standards.approve",
            "standards.read",
        }
    ),
    # Reaches what is sealed, as ciphertext, and withdraws it; sees no score and no inspection.
    "safeguarding": frozenset({"sealed.read", "sealed.take", "sealed.withdraw"}),
    "reader": frozenset({"facilities.read", "flags.read", "registry.read", "scores.read"}),
    "administrator": frozenset(
        {
            "assignments.read",
            "assignments.write",
            "bundles.read",
            "declarations.write",
            "registry.read",
            "registry.write",
            "standards.approve",
            "standards.read",
        }
    ),
}

GRANTABLE = ("auditor", "officer", "reader", "administrator", "safeguarding")

ROUTES: dict[str, str] = {
    # machines
    "health.healthz": "health.read",
    "api-docs.openapi_json": "docs.read",
    "enrol.greet": "enrol.use",
    "enrol.enrol": "enrol.use",
    "sync.exchange": "sync.exchange",
    "generation.next_generation": "generation.use",
    "generation.held": "generation.use",
    "generation.hashes": "generation.use",
    "lines.again": "sync.exchange",
    "files.discover": "docs.read",
    "files.create": "files.send",
    "files.ask": "files.send",
    "files.append": "files.send",
    "files.discard": "files.send",
    "session.log_in": "login.use",
    "session.show": "session.use",
    "session.log_out": "session.use",
    "facilities.list_facilities": "registry.read",
    "facilities.get_facility": "registry.read",
    "facilities.create_facility": "registry.write",
    "declarations.list_declarations": "registry.read",
    "declarations.file_declaration": "declarations.write",
    "assignments.list_assignments": "assignments.read",
    "assignments.create_assignment": "assignments.write",
    "assignments.end_assignment": "assignments.write",
    "bundles.take": "bundles.read",
    "bundles.answer": "bundles.read",
    # people
    "pages.login": "login.use",
    "pages.login_post": "login.use",
    "pages.static": "login.use",
    "pages.logout": "session.use",
    "pages.home": "session.use",
    "pages.facilities": "facilities.read",
    "pages.facility": "facilities.read",
    "pages.inspection": "inspections.read",
    "pages.held_aside": "inspections.read",
    "pages.branch": "inspections.read",
    "pages.evidence": "inspections.read",
    "pages.admission": "logs.admit",
    "pages.resolution": "conflicts.resolve",
    "pages.ruling": "conflicts.resolve",
    "pages.acknowledgement": "hazards.acknowledge",
    "pages.entries": "inspections.read",
    "pages.standards": "standards.read",
    "pages.effects": "standards.read",
    "pages.standards_post": "standards.approve",
    "pages.bundles": "bundles.read",
    "pages.bundles_post": "bundles.read",
    "pages.file": "files.read",
    "pages.preview": "files.read",
    "pages.score_export": "scores.read",
    "pages.sealed": "sealed.read",
    "pages.sealed_take": "sealed.take",
    "pages.sealed_withdraw": "sealed.withdraw",
}


def roles_of(principal: Principal) -> frozenset[str]:
    """The roles an asker has by kind and by grant; a grant counts for a person only."""
    roles: set[str] = {"anonymous", principal.kind}
    if principal.kind == "person":
        roles |= {role for role, _ in principal.grants if role in GRANTABLE}
    return frozenset(roles)


def permissions_of(principal: Principal) -> frozenset[str]:
    """Everything an asker may do somewhere; where, is `server.services.access`'s matter."""
    return frozenset().union(*(ROLES[role] for role in roles_of(principal)))


def may(principal: Principal, permission: str | None) -> bool:
    """Whether an asker has a permission somewhere; None (no line in ROUTES) is refused."""
    return permission is not None and permission in permissions_of(principal)


def jurisdictions_granted(principal: Principal, permission: str) -> frozenset[str]:
    """The jurisdictions of those grants of a person that include the permission."""
    if principal.kind != "person":
        return frozenset()
    return frozenset(
        place for role, place in principal.grants if role in GRANTABLE and permission in ROLES[role]
    )
