"""The officer's pages: plain HTML without scripts, each one question asked of a service."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from server.pages import aside, browse, bundles, decide, files, login, sealed, standards
from server.pages.wording import FILTERS
from server.permissions import may
from server.web import principal

blueprint = Blueprint(
    "pages",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)

for _name, _filter in FILTERS.items():
    blueprint.add_app_template_filter(_filter, _name)

blueprint.add_url_rule("/login", "login", login.show, methods=["GET"])
blueprint.add_url_rule("/login", "login_post", login.log_in, methods=["POST"])
blueprint.add_url_rule("/logout", "logout", login.log_out, methods=["POST"])
blueprint.add_url_rule("/", "home", browse.home)
blueprint.add_url_rule("/facilities", "facilities", browse.facilities)
blueprint.add_url_rule("/facilities/<facility_id>", "facility", browse.facility)
blueprint.add_url_rule("/inspections/<inspection_id>", "inspection", browse.inspection)
blueprint.add_url_rule("/inspections/<inspection_id>/evidence", "evidence", browse.evidence)
blueprint.add_url_rule("/inspections/<inspection_id>/entries", "entries", browse.entries)
blueprint.add_url_rule("/held-aside", "held_aside", aside.held_aside)
blueprint.add_url_rule("/held-aside/<root>.ndjson", "branch", aside.branch)
blueprint.add_url_rule(
    "/inspections/<inspection_id>/admission", "admission", decide.admit, methods=["POST"]
)
blueprint.add_url_rule(
    "/inspections/<inspection_id>/resolution", "resolution", decide.resolve, methods=["POST"]
)
blueprint.add_url_rule("/standards", "standards", standards.show)
blueprint.add_url_rule("/standards/<proposal>/effects", "effects", standards.effects)
blueprint.add_url_rule(
    "/standards/<proposal>", "standards_post", standards.decide, methods=["POST"]
)
blueprint.add_url_rule(
    "/inspections/<inspection_id>/acknowledgement",
    "acknowledgement",
    decide.acknowledge,
    methods=["POST"],
)
blueprint.add_url_rule(
    "/inspections/<inspection_id>/ruling", "ruling", decide.rule_out, methods=["POST"]
)
blueprint.add_url_rule("/bundles", "bundles", bundles.show, methods=["GET"])
blueprint.add_url_rule("/bundles", "bundles_post", bundles.take, methods=["POST"])
blueprint.add_url_rule("/sealed", "sealed", sealed.show)
blueprint.add_url_rule("/sealed/take", "sealed_take", sealed.download, methods=["POST"])
blueprint.add_url_rule(
    "/sealed/<entry>/withdraw", "sealed_withdraw", sealed.withdraw, methods=["POST"]
)
blueprint.add_url_rule("/files/<sha256>", "file", files.original)
blueprint.add_url_rule("/previews/<sha256>", "preview", files.preview)
blueprint.add_url_rule("/scores/<scope>/<subject>.json", "score_export", files.score_export)


@blueprint.app_context_processor
def _reader() -> dict[str, Any]:
    """Who reads the page, for the frame around it."""
    who = principal()
    return {"reader": who, "may": lambda permission: may(who, permission)}
