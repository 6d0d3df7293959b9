"""What a device and its server need to believe each other."""

from __future__ import annotations

from sync.problems.kind import KEPT, NOTHING_STORED, Kind

KINDS = (
    Kind(
        "server-keys-unfit",
        502,
        "What the server said about its keys does not fit: {why}.",
        "This device goes on trusting the keys it knew before. Nothing recorded is touched.",
        "Sync again on another network; if it recurs, tell your office before you seal anything.",
    ),
    Kind(
        "sealing-key-unknown",
        409,
        "This device does not know the server's sealing key yet.",
        KEPT,
        "Run: fieldkit sync, once, with a network. It comes with the first answer.",
    ),
    Kind(
        "certificate-unfit",
        502,
        "The certificate that came does not fit this device: {why}.",
        "The device's key and all work stay on this device.",
        "Run the same command again; if it recurs, ask your office for a new invitation.",
    ),
    Kind(
        "receipt-unfit",
        409,
        "The receipt does not fit what is on this device: {why}.",
        "Nothing was marked as held; all work stays on this device.",
        "Keep this device as it is and tell your office; the server may have been "
        "given another copy.",
    ),
    Kind(
        "keys-too-often",
        409,
        "The server's keys were changed {count} times; devices follow at most 64 statements.",
        "Nothing was changed.",
        "Keep the keys that are in use.",
    ),
    Kind(
        "keys-moved",
        409,
        "The server's keys were changed by another command just now.",
        "That change stands; this one did nothing.",
        "Look at what was done in the audit trail; change them again if they still have to be.",
    ),
    Kind(
        "enrolment-blocked",
        429,
        "Too many wrong invitation codes came from this address.",
        "No invitation was used up; all work stays on its device.",
        "Wait {minutes} minutes, then type the code again exactly as the invitation shows it.",
    ),
    Kind(
        "nonce-unfit",
        409,
        "The server's nonce cannot be used: {why}.",
        "Nothing of the answer was kept; all work stays on this device.",
        "Try again from another network; tell your office if this comes again.",
    ),
    Kind(
        "checkpoint-unfit",
        409,
        "The checkpoint of the server's records cannot be relied on: {why}.",
        "All work stays on this device, with every receipt that it was given.",
        "Keep this device as it is and tell your office: records may have been taken away there.",
    ),
    Kind(
        "server-away",
        503,
        "The server at {server} cannot be reached: {why}.",
        "All work stays on this device, unsent parts included.",
        "Go on working; sync again when there is a network.",
    ),
    Kind(
        "server-error",
        502,
        "The server answered with status {status_code} and no message it should have given.",
        "All work stays on this device, unsent parts included.",
        "Sync again later; if it recurs, tell your office.",
    ),
    Kind(
        "server-key-changed",
        409,
        "The server's key is not the one in the invitation.",
        "Nothing was kept on this device, and no record left it.",
        "Do not go on. Ask your office for a new invitation by another way than this network.",
    ),
    Kind(
        "server-unproved",
        409,
        "What answers at this address did not prove that it holds the server's key.",
        "The invitation's code was not shown to it, and nothing was kept on this device.",
        "Try another network. If it recurs, ask your office whether its server is up to date.",
    ),
    Kind(
        "invitation-malformed",
        400,
        "{text!r} is not an invitation.",
        NOTHING_STORED,
        "Copy the whole link, from http to the last character.",
    ),
    Kind(
        "invitation-unknown",
        403,
        "This invitation does not exist, is used up or has expired.",
        NOTHING_STORED,
        "Ask your office for a new one.",
    ),
    Kind(
        "device-key-malformed",
        422,
        "The device's public key cannot be used.",
        NOTHING_STORED,
        "Enrol again from an up-to-date client.",
    ),
    Kind(
        "token-missing",
        401,
        "The request says nothing about who is asking.",
        NOTHING_STORED,
        "Log in, or enrol the device.",
    ),
    Kind(
        "token-unknown",
        401,
        "The server does not know this device's token, or not any more.",
        "All work stays on the device, unsent parts included.",
        "Ask your office for an invitation, then run: fieldkit enrol LINK. The work goes up then.",
    ),
    Kind(
        "device-not-yours",
        403,
        "The segment belongs to a device that this server does not know.",
        NOTHING_STORED,
        "Enrol that device first.",
    ),
)
