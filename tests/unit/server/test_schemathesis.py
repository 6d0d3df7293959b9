"""The API against its own description: no 5xx, and no status that an operation does not name.

TAPAK_EXAMPLES says how many requests are made of each operation and asker.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from office import Office, assign_auditor, make_office
from region import Clock
from schemathesis.schemas import APIOperation


def _lines() -> st.SearchStrategy[bytes]:
    """Requests of a sync that are almost right: a header, segments, lines, and what breaks them."""
    device, log = "a" * 32, "0f8fad5b-d9cb-469f-a165-70867728950e"
    header = st.fixed_dictionaries(
        {"tapak": st.sampled_from([1, 1, 1, 2, "1"]), "device": st.sampled_from([device, "x", 3])},
        optional={
            "cursor": st.text(max_size=20),
            "awaiting": st.lists(st.text("0af", max_size=64), max_size=3),
            "at": st.integers(-5, 2**60),
            "nonce": st.booleans() | st.text(max_size=3),
            "keys": st.integers(-1, 5),
        },
    )
    segment = st.fixed_dictionaries(
        {
            "log": st.sampled_from([log, "device", "../../etc", ""]),
            "device": st.just(device),
            "first": st.integers(-1, 3),
            "count": st.integers(-1, 3) | st.just(10**6),
            "signature": st.sampled_from([base64.b64encode(bytes(64)).decode(), "?", None]),
        }
    )
    line = (segment | header).map(lambda one: json.dumps(one).encode()) | st.binary(max_size=40)
    rest = st.lists(line, max_size=6)
    return st.builds(
        lambda first, more: b"\n".join([json.dumps(first).encode(), *more]) + b"\n", header, rest
    ) | st.binary(max_size=200)


def _as_it_is(_: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


for _media, _strategy in (
    ("application/x-ndjson", _lines()),
    ("application/offset+octet-stream", st.binary(max_size=2000)),
):
    schemathesis.openapi.media_type(_media, _strategy)
    schemathesis.serializer(_media)(_as_it_is)

EXAMPLES = int(os.environ.get("TAPAK_EXAMPLES", "12"))
ASKERS = ("anonymous", "device", "auditor", "officer", "administrator")
# Logging out ends the session that the other requests are made with.
ENDS_THE_SESSION = "DELETE /api/session"


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    made = make_office(tmp_path_factory.mktemp("office"), Clock())
    assign_auditor(made)
    yield made
    made.ctx.db.close()


@pytest.fixture(scope="module")
def operations(office: Office) -> dict[str, APIOperation[Any, Any, Any]]:
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", office.app)
    return {op.label: op for op in (found.ok() for found in schema.get_all_operations())}


def headers_of(office: Office, asker: str) -> dict[str, str]:
    """What shows who asks: a device's token, or a session with its CSRF token."""
    if asker == "anonymous":
        return {}
    if asker == "device":
        return {"Authorization": office.device().client.environ_base["HTTP_AUTHORIZATION"]}
    browser = office.logged_in(asker)
    cookie = browser.client.get_cookie("tapak")
    assert cookie is not None
    return {"Cookie": f"tapak={cookie.value}", "X-CSRF-Token": browser.csrf}


def named(operation: APIOperation[Any, Any, Any]) -> set[int]:
    """The statuses that the description names for an operation, beside its `default`."""
    told = operation.definition.raw["responses"]
    return {int(status) for status in told if str(status).isdigit()}


@pytest.mark.parametrize("asker", ASKERS)
def test_whatever_is_sent_the_answer_is_one_that_is_described(
    office: Office, operations: dict[str, APIOperation[Any, Any, Any]], asker: str
) -> None:
    headers = headers_of(office, asker)
    undescribed: dict[tuple[str, int], str] = {}
    seen = 0
    for label, operation in operations.items():
        if label == ENDS_THE_SESSION and asker not in ("anonymous", "device"):
            continue
        allowed = named(operation)

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            nonlocal seen
            response = case.call(headers={**(case.headers or {}), **headers})
            seen += 1
            if response.status_code >= 500 or response.status_code not in allowed:  # noqa: B023
                text = f"{case.as_curl_command()}\n{response.text[:300]}"
                undescribed.setdefault((label, response.status_code), text)  # noqa: B023

        ask()
    assert seen > len(operations)
    assert undescribed == {}


def test_the_check_itself_can_fail(
    office: Office, operations: dict[str, APIOperation[Any, Any, Any]]
) -> None:
    """The answer to a wrong body has a status of its own, which a shorter list would not name."""
    enrol = operations["POST /api/enrol"]
    key = base64.b64encode(bytes(32)).decode()
    case = enrol.Case(
        body={"code": "WRNG-WRNG-WRNG", "public_key": key}, media_type="application/json"
    )
    status = case.call().status_code
    assert status in named(enrol)
    assert status not in named(enrol) - {status}
