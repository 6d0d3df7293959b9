"""Bundles carried by hand (S10)."""

from __future__ import annotations

from sync.problems.kind import KEPT, NOTHING_STORED, Kind

BUNDLE_KEPT = "What came before that place was checked and stays; nothing wrong was stored."

KINDS = (
    Kind(
        "bundle-not-kept",
        409,
        "The bundle {name} cannot be trusted: {why}.",
        "Nothing was sealed; the inspection is on this device as before.",
        "Do not use that disk. Delete the file, and write to another one.",
    ),
    Kind(
        "bundle-malformed",
        422,
        "This bundle cannot be read: {why}.",
        BUNDLE_KEPT,
        "Copy the file again from where it was made, or have a new bundle written.",
    ),
    Kind(
        "bundle-altered",
        422,
        "This bundle is cut short, or was altered or damaged on its way.",
        BUNDLE_KEPT,
        "Copy the file again from where it was made, or have a new bundle written.",
    ),
    Kind(
        "bundle-newer",
        422,
        "This bundle has format {version}, and this program reads format {known}.",
        NOTHING_STORED,
        "Install the newest version of this program and read the bundle again.",
    ),
    Kind(
        "bundle-part-too-large",
        413,
        "A part of a bundle ({part}) is of {size} bytes; the limit is {limit}.",
        BUNDLE_KEPT,
        "Have a new bundle written; a file over the limit goes on a disk of its own.",
    ),
    Kind(
        "bundle-not-sealed",
        422,
        "{name} is not a sealed bundle.",
        NOTHING_STORED,
        "Choose the file that ends in .tapak, as it was written.",
    ),
    Kind(
        "bundle-not-chosen",
        422,
        "No file was chosen.",
        NOTHING_STORED,
        "Choose the bundle, a file that ends in .tapak, and send the form again.",
    ),
    Kind(
        "bundle-other-server",
        422,
        "This bundle belongs to another server than {server}.",
        NOTHING_STORED,
        "Read it on a device that is enrolled with the server it belongs to.",
    ),
    Kind(
        "bundle-for-another",
        422,
        "This bundle was not sealed to this key.{hint}",
        NOTHING_STORED,
        "Give it to whom it was made for, or have a new one written for this key.",
    ),
    Kind(
        "bundle-passphrase-needed",
        422,
        "This bundle is sealed with a passphrase.",
        NOTHING_STORED,
        "Ask whoever made it for the passphrase, and give it: --passphrase.",
    ),
    Kind(
        "bundle-passphrase-wrong",
        422,
        "The passphrase does not open this bundle.",
        NOTHING_STORED,
        "Type it again exactly as it was given; upper and lower case count.",
    ),
    Kind(
        "bundle-passphrase-short",
        422,
        "A passphrase of {length} characters is too short for a bundle.",
        KEPT,
        "Give at least {least} characters, such as four or five words.",
    ),
    Kind(
        "bundle-exists",
        409,
        "There is a file called {name} already.",
        "It stays as it is; nothing was written.",
        "Give another name, or a folder: then the file gets a name of its own.",
    ),
    Kind(
        "bundle-no-room",
        507,
        "The bundle takes about {needed} and {folder} has {free} left.",
        "Nothing was written.",
        "Make room, use another disk, or leave the files out: --no-photos.",
    ),
    Kind(
        "bundle-disk-limit",
        507,
        "This disk cannot hold a file as large as this bundle, of {size}.",
        "Nothing was left half-written.",
        "Use a disk that is formatted as exFAT or NTFS; FAT32 holds files of up to 4 GB.",
    ),
    Kind(
        "bundle-nothing",
        409,
        "There is nothing to put into a bundle: the server holds everything safely.",
        KEPT,
        "To hand an inspection over all the same, name it: --inspection.",
    ),
    Kind(
        "bundle-no-files",
        404,
        "There is no bundle in {folder}.",
        NOTHING_STORED,
        "Choose the folder with the files that end in .tapak.",
    ),
    Kind(
        "recipient-unknown",
        404,
        "{name!r} is neither the office, nor a key, nor a person whose key is known here.",
        KEPT,
        "Ask them for what `fieldkit bundle key` shows on their device, and give that: --to age1…",
    ),
    Kind(
        "device-without-key",
        409,
        "The device {device} has not told the server what to seal to it.",
        NOTHING_STORED,
        "Read a bundle of that device first, or have it sync once.",
    ),
    Kind(
        "device-ended",
        409,
        "The device {device} was retired or revoked: nothing is sealed to it any more.",
        NOTHING_STORED,
        "Invite its person to enrol a device; that one is told everything.",
    ),
)
