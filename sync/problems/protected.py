"""Protected people and what is sealed for them (L8)."""

from __future__ import annotations

from sync.problems.kind import KEPT, Kind

KINDS = (
    Kind(
        "inspection-sealed",
        409,
        "The inspection {inspection} was sealed: it is not on this device any more.",
        "The server holds it safely, or the bundle does that it was sealed into: fieldkit status.",
        "Read it with your office. To correct it, have it back: fieldkit seal --undo {inspection}",
    ),
    Kind(
        "seal-too-early",
        409,
        "The inspection {inspection} cannot be sealed yet: {why}.",
        KEPT,
        "Do that, then run fieldkit seal again.",
    ),
    Kind(
        "seal-not-there",
        409,
        "The server does not hold all of the sealed inspection {inspection} yet.",
        "It lies in the bundle that it was sealed into; nothing was changed here.",
        "Bring the bundle to your office. When it was read there, do this again.",
    ),
    Kind(
        "wipe-not-typed",
        409,
        "Nothing was wiped: the words typed are not the ones that were asked for.",
        KEPT,
        "To wipe this device, type exactly: {words}",
    ),
    Kind(
        "safeguarding-none",
        409,
        "No safeguarding key is known here, so nothing can be sealed.",
        "Nothing was written: what you typed is not on this device.",
        "Ask your office to publish one (tapak admin safeguarding-key), then run: fieldkit prepare",
    ),
    Kind(
        "safeguarding-unconfirmed",
        409,
        "The safeguarding keys were replaced by others, which nobody has confirmed on this device.",
        "Nothing was written, and nothing was sealed to a key you do not know.",
        "Compare fingerprints with your safeguarding person, then: fieldkit "
        "interview keys --confirm",
    ),
    Kind(
        "safeguarding-signature",
        409,
        "The list of safeguarding keys is not signed by the server this device knows.",
        "The keys that were here before stay as they were.",
        "Do not use this server; tell your office at once, by another way.",
    ),
    Kind(
        "safeguarding-place",
        422,
        "The private key must not lie in the server's data folder: {path}.",
        "No key was made.",
        "Give a path on a stick or disk that leaves this machine, such as: --out "
        "/media/usb/key.txt",
    ),
    Kind(
        "recipient-malformed",
        422,
        "{text!r} is not the public half of an age key.",
        "Nothing was published.",
        "Give the line that begins with age1, as age-keygen prints it.",
    ),
    Kind(
        "interview-malformed",
        422,
        "The form cannot be read: {why}.",
        "Nothing was written. What you gave is where it was before.",
        "See the form with: fieldkit interview form",
    ),
    Kind(
        "interview-unknown",
        404,
        "No protected entry that waits for your sign-off begins with {id!r}.",
        KEPT,
        "See them with: fieldkit interview list",
    ),
    Kind(
        "interview-signed",
        409,
        "The protected entry {id} is signed already, so this device cannot take it back.",
        KEPT,
        "Tell the safeguarding person its number; after they withdraw it, sync "
        "drops the key here too.",
    ),
    Kind(
        "sealed-unreadable",
        422,
        "What was sealed cannot be read: {why}.",
        "The sealed bytes stay as they are.",
        "Ask for the file again; if it recurs, keep the bytes and say which entry it is.",
    ),
    Kind(
        "sealed-key-destroyed",
        410,
        "The key {sha256} was destroyed, because consent was withdrawn.",
        "The entry and its signature stay as they are; what it held can be read by nobody.",
        "Nothing is to be done. The device drops its copy at its next sync.",
    ),
    Kind(
        "sealed-key-unfit",
        409,
        "The file {sha256} that the entry names as its key is not a key.",
        "Nothing was destroyed.",
        "Have the device that wrote the entry looked at; the file may be evidence.",
    ),
    Kind(
        "unseal-key",
        422,
        "The key in {path} opens none of this: {why}.",
        "Nothing was written.",
        "Use the safeguarding key whose fingerprint the entry names.",
    ),
)
