"""People, permissions, and the office's own server."""

from __future__ import annotations

from sync.problems.kind import NOTHING_STORED, Kind

KINDS = (
    Kind(
        "login-failed",
        401,
        "The name or the password is not right.",
        "Nothing was changed.",
        "Try again, or ask an administrator for a new password.",
    ),
    Kind(
        "login-needed",
        401,
        "This page needs a login.",
        "Nothing was changed.",
        "Log in and open it again.",
    ),
    Kind(
        "login-blocked",
        429,
        "Too many failed logins for this name.",
        "The account and its work are untouched.",
        "Wait {minutes} minutes, then try again.",
    ),
    Kind(
        "form-expired",
        400,
        "The form is too old or came from another page.",
        NOTHING_STORED,
        "Open the page again and send the form from there.",
    ),
    Kind(
        "not-permitted",
        403,
        "Your role does not include this.",
        "Nothing was changed.",
        "Ask an administrator if your duty needs it.",
    ),
    Kind(
        "not-found",
        404,
        "There is nothing here that you may see.",
        "Nothing was changed.",
        "Check the address, or go back to the list.",
    ),
    Kind(
        "method-not-allowed",
        405,
        "This address does not take that kind of request.",
        NOTHING_STORED,
        "See the API's description for what it takes.",
    ),
    Kind(
        "media-type",
        415,
        "The request's content type {given!r} is not one this address takes.",
        NOTHING_STORED,
        "Send it as {wanted}.",
    ),
    Kind(
        "already-there",
        409,
        "There is already a {noun} called {name!r}.",
        NOTHING_STORED,
        "Choose another name, or change the one that is there.",
    ),
    Kind(
        "not-an-auditor",
        422,
        "{name} is not an auditor for the jurisdiction {jurisdiction!r}.",
        NOTHING_STORED,
        "Choose an auditor of that jurisdiction, or have the role granted first.",
    ),
    Kind(
        "device-of-another",
        409,
        "This device's key is enrolled for somebody else, or was withdrawn.",
        "The invitation can still be used.",
        "Enrol with a new key: choose another folder with --home, and use the same invitation.",
    ),
    Kind(
        "device-is-account",
        409,
        "{device} is no device: it is the log that this server keeps for the account of {login}.",
        "Nothing was changed; what is decided in that log counts as before.",
        "Name one of the devices that tapak admin device list shows with the kind device.",
    ),
    Kind(
        "one-process",
        409,
        "{workers} serving processes were asked for, and a SQLite file takes one.",
        "Nothing was changed.",
        "Leave out --workers, or name a PostgreSQL database in TAPAK_DATABASE.",
    ),
    Kind(
        "address-in-use",
        503,
        "The server cannot listen at {address}: {why}.",
        "Nothing was changed.",
        "Stop what is listening there, or choose another port with --port.",
    ),
    Kind(
        "noun-unknown",
        404,
        "There is no {noun} called {name!r}.",
        NOTHING_STORED,
        "Check the name; nearest: {nearest}.",
    ),
    Kind(
        "internal",
        500,
        "Something went wrong on the server that it has no name for.",
        "What was acknowledged before is safe.",
        "Try again; if it recurs, give staff the number {number}.",
    ),
)
