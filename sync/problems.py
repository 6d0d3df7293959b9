"""The error catalogue: what happened, what is safe, what to do. Both ends speak it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """One catalogue line: a stable code, its HTTP status, and three sentences with named blanks."""

    code: str
    status: int
    happened: str
    safe: str
    remedy: str


class Problem(Exception):  # noqa: N818 - the field's word, not Python's
    """A catalogue error with its blanks filled in.

    `detail` carries the values of the blanks; `remedy` and the other sentences are plain text.
    """

    def __init__(self, kind: Kind, detail: Mapping[str, Any]) -> None:
        self.kind = kind
        self.code = kind.code
        self.status = kind.status
        self.detail = dict(detail)
        self.happened = kind.happened.format_map(_Blanks(self.detail))
        self.safe = kind.safe.format_map(_Blanks(self.detail))
        self.remedy = kind.remedy.format_map(_Blanks(self.detail))
        super().__init__(f"{self.code}: {self.happened} {self.safe} {self.remedy}")

    def to_json(self) -> dict[str, Any]:
        """The body of an error answer, the same for API, terminal `--json` and pages."""
        return {
            "code": self.code,
            "status": self.status,
            "title": self.happened,
            "safe": self.safe,
            "remedy": self.remedy,
            "detail": self.detail,
        }


class _Blanks(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "?"


CATALOGUE: dict[str, Kind] = {}


def _define(code: str, status: int, happened: str, safe: str, remedy: str) -> None:
    CATALOGUE[code] = Kind(code, status, happened, safe, remedy)


def problem(code: str, **detail: Any) -> Problem:
    """The catalogue error `code` with its blanks filled from `detail`; an unknown code is a bug."""
    return Problem(CATALOGUE[code], detail)


KEPT = "What is on this device stays as it was."
NOTHING_STORED = "Nothing of this request was stored."

# -- the log and its limits (L3, L4, S12) ---------------------------------------------------------
_define(
    "entry-too-large",
    413,
    "An entry of {size} bytes is over the limit of {limit}.",
    KEPT,
    "Shorten the note, or attach the long text as a document.",
)
_define(
    "entry-too-deep",
    422,
    "An entry is nested {depth} levels deep; the limit is {limit}.",
    KEPT,
    "Flatten the value.",
)
_define(
    "entry-not-ijson",
    422,
    "An entry cannot be written as I-JSON: {why}.",
    KEPT,
    "Write measured values as decimal strings and text as valid Unicode.",
)
_define(
    "path-malformed",
    422,
    "{path!r} is not a path of the protocol.",
    KEPT,
    "Use a path of rule L5, such as answers/ISL-E1/- or observed/operating/warm-kiln.",
)
_define(
    "segment-too-long",
    413,
    "A segment carries {count} lines; the limit is {limit}.",
    "Lines acknowledged before stay acknowledged.",
    "Send the lines in several segments.",
)
_define(
    "log-too-long",
    413,
    "A log would have {count} entries; the limit is {limit}.",
    "All entries before it are kept, and can be signed and sent.",
    "Sign this inspection off, and go on in a new one: fieldkit start … --new",
)
_define(
    "segment-malformed",
    400,
    "Segment {index} cannot be read: {why}.",
    NOTHING_STORED,
    "Send it again; if it recurs, make an export and hand it to your office.",
)
_define(
    "segment-signature",
    422,
    "The signature of a segment does not fit its log ({log}).",
    NOTHING_STORED,
    "Sync again from the device that wrote the log; if it recurs, keep the device and tell staff.",
)
_define(
    "chain-broken",
    422,
    "The hash chain of {log} is broken at entry {seq}.",
    NOTHING_STORED,
    "Keep the device as it is, make an export and tell staff.",
)
_define(
    "lines-unproved",
    422,
    "Entry {seq} of a colleague's log ({device}) does not verify: {why}.",
    "Nothing of that run was taken; your own work and what was here before stay as they were.",
    "It is asked for again once a day. If it goes on, tell your office of inspection {log}.",
)
_define(
    "lines-unfit",
    409,
    "A colleague's log ({device}) does not go on from what is here: {why}.",
    "Nothing of that run was taken; your own work and what was here before stay as they were.",
    "It is asked for again once a day. If it goes on, tell your office of inspection {log}.",
)
_define(
    "lines-unknown-device",
    403,
    "Entries came of a device ({device}) whose certificate is not here.",
    "Nothing of them was taken; your own work and what was here before stay as they were.",
    "They are asked for again once a day. If it goes on, tell your office of inspection {log}.",
)
_define(
    "log-forked",
    409,
    "The log {log} has other bytes at entry {seq} than the server received before.",
    "The server keeps both branches; yours is set aside for staff.",
    "Keep this device and run fieldkit sync: it goes on under a new key by itself.",
)
_define(
    "generation-unproved",
    403,
    "The old key did not sign for the new one.",
    "Nothing was changed; what is on the device is kept.",
    "Enrol the device again with an invitation; its lines are carried over then too.",
)
_define(
    "log-unknown-inspection",
    422,
    "{log!r} is not the name of a log.",
    NOTHING_STORED,
    "A log is named by its inspection's UUID, or is the device's own log.",
)
_define(
    "request-too-large",
    413,
    "The request is over the limit of {limit} bytes once unpacked.",
    NOTHING_STORED,
    "Send fewer entries at a time.",
)
_define(
    "request-malformed",
    400,
    "The request cannot be read: {why}.",
    NOTHING_STORED,
    "Check the client's version and send it again.",
)
_define(
    "fields-malformed",
    422,
    "Some fields do not fit: {why}.",
    NOTHING_STORED,
    "Mend the fields named and send it again.",
)
_define(
    "cursor-malformed",
    400,
    "The cursor is not one this server gave out.",
    "Nothing was lost; a cursor only marks how far you have read.",
    "Sync again without a cursor; everything you may see comes anew.",
)
_define(
    "receipt-signature",
    422,
    "The receipt is not signed by the server this device was enrolled with.",
    "Nothing was marked as sent; all work stays on this device.",
    "You may be on another network's sign-in page. Try another connection, or ask your office.",
)
_define(
    "answer-malformed",
    502,
    "The server's answer cannot be read: {why}.",
    "All work stays on this device, unsent parts included.",
    "Check the address and the connection, then sync again.",
)
_define(
    "stopped",
    499,
    "The command was stopped before its end.",
    "What it had done until then is safe on this device; what was sent stays sent.",
    "Run the same command again: it goes on from there, and nothing is taken twice.",
)

# -- files and pictures ---------------------------------------------------------------------------
_define(
    "file-too-large",
    413,
    "The file of {size} bytes is over the limit of {limit}.",
    "The file itself was not touched.",
    "Cut the recording into parts and attach each.",
)
_define(
    "file-empty",
    422,
    "{name} holds no bytes.",
    KEPT,
    "Copy it again from the camera.",
)
_define(
    "file-missing",
    404,
    "There is no file at {name}.",
    KEPT,
    "Check the path.",
)
_define(
    "file-exists",
    409,
    "There is a file at {name} already.",
    "It was not touched.",
    "Choose another name, or say --force to replace it.",
)
_define(
    "file-unreadable",
    422,
    "{name} cannot be read: {why}.",
    KEPT,
    "Check that you may read it and that the card is in.",
)
_define(
    "file-unwritable",
    422,
    "{name} cannot be written: {why}.",
    KEPT,
    "Check that the folder is there and that you may write in it.",
)
_define(
    "print-missing",
    422,
    "Typst and the fonts, which set a checklist for print, are not installed.",
    "The page (--html) and the terminal need neither.",
    "Install them: pip install 'tapak[print]'.",
)
_define(
    "glyphs-missing",
    422,
    "{count} characters are in none of the fonts: {shown}.",
    "Nothing was written.",
    "Name a folder with a font that has them: --fonts FOLDER.",
)
_define(
    "file-digest",
    422,
    "The bytes that arrived have the digest {got}, not {wanted}.",
    "The damaged copy was thrown away; what was stored before is untouched.",
    "Send the file again.",
)
_define(
    "file-not-named",
    409,
    "No entry that you sent names the file {sha256}.",
    NOTHING_STORED,
    "Send the entries first, then their files.",
)
_define(
    "file-not-here",
    404,
    "There is no such file for you here.",
    "Nothing was changed.",
    "Check the digest, or ask who attached it.",
)
_define(
    "upload-unknown",
    404,
    "There is no upload of {sha256} for you here.",
    "Nothing was changed; a file that was complete before is held.",
    "Begin it again: the entry that names the file comes first.",
)
_define(
    "upload-malformed",
    400,
    "The upload cannot be understood: {why}.",
    NOTHING_STORED,
    "Send what tus 1.0 asks for; docs/protocol.md says how.",
)
_define(
    "hazard-malformed",
    400,
    "A hazard is told in 1 to {limit} characters.",
    "Nothing was recorded.",
    "Say in one sentence what is about to happen and where.",
)
_define(
    "hazard-unknown",
    404,
    "There is not one hazard here whose id begins with {hazard!r}.",
    "Nothing was recorded.",
    "Use one of these: {known}.",
)
_define(
    "hazard-moved",
    409,
    "The hazard is not as you were shown it: something arrived about it, or it is over.",
    "Nothing was acknowledged.",
    "Look at what is told of it now, and acknowledge that where it is still needed.",
)
_define(
    "checksum-unknown",
    400,
    "Checksums of the kind {algorithm!r} are not known here.",
    NOTHING_STORED,
    "Use one of these, or none: {known}.",
)
_define(
    "upload-checksum",
    460,
    "The bytes of this request do not fit their {algorithm} checksum.",
    "They were thrown away; what arrived before is kept.",
    "Send the same bytes again.",
)
_define(
    "upload-offset",
    409,
    "The upload stands at {offset} bytes, not at {given}.",
    "What arrived before is kept.",
    "Ask where it stands and go on from there.",
)
_define(
    "upload-too-long",
    413,
    "More bytes came than the {length} that were announced.",
    "What arrived before is kept; nothing counts until its digest is verified.",
    "Check that the file did not change, and begin the upload again with its size.",
)
_define(
    "upload-busy",
    423,
    "The bytes of this upload are being verified just now.",
    "Everything that arrived is kept.",
    "Ask again in a moment.",
)
_define(
    "upload-taken-over",
    409,
    "Another request goes on with this upload.",
    "What arrived before is kept.",
    "Ask where the upload stands and go on from there.",
)
_define(
    "upload-held",
    409,
    "The file is complete and held; there is no upload to end.",
    "The file stays: an entry names it.",
    "Nothing is to be done.",
)
_define(
    "tus-version",
    412,
    "Uploads here speak tus {wanted}, not {given!r}.",
    NOTHING_STORED,
    "Send the header Tus-Resumable with that version.",
)
_define(
    "files-away",
    503,
    "The store of files at {where} does not answer: {why}.",
    "Nothing was lost; what it holds stays as it is.",
    "Try again later; if it recurs, let the administrator look at the store and its address.",
)
_define(
    "files-refused",
    503,
    "The store of files at {where} refuses this server: {why}.",
    "Nothing was lost; what it holds stays as it is.",
    "Let the administrator check bucket, endpoint, region and keys (AWS_* and TAPAK_FILES).",
)
_define(
    "files-setting",
    500,
    "TAPAK_FILES cannot be used ({given}): {why}.",
    "Nothing was read or written.",
    "Write s3://bucket/prefix?endpoint=https://...&region=..., or leave it out for files on disk.",
)
_define(
    "digest-malformed",
    400,
    "{digest!r} is not a SHA-256 digest.",
    NOTHING_STORED,
    "Write it as 64 lower-case hexadecimal digits.",
)
_define(
    "picture-unreadable",
    422,
    "The picture cannot be read: {why}.",
    "The original bytes are kept as unreadable evidence.",
    "Take the picture again if you can; keep the original on the card.",
)
_define(
    "track-unreadable",
    422,
    "{name} cannot be read as a track: {why}. {read}",
    "The file itself was not touched, and nothing was attached.",
    "Save the track again as GPX 1.1 or NMEA, a long one in parts; a damaged file is kept by "
    "fieldkit attach --kind track.",
)
_define(
    "track-none",
    409,
    "The inspection has no track with times in it.",
    KEPT,
    "Attach one with fieldkit track FILE, then place the photos again.",
)
_define(
    "offset-malformed",
    422,
    "{text!r} is not how far a clock is from UTC.",
    KEPT,
    "Write it as a zone, such as +08:00, or in seconds, such as +37 for a clock that is fast.",
)
_define(
    "picture-too-costly",
    422,
    "Reading the picture would take more than {limit}.",
    "The original bytes are kept as unreadable evidence.",
    "Attach a smaller picture of the same thing as well.",
)
_define(
    "film-not-attached",
    422,
    "{name} is a film; only pictures are taken from a folder.",
    "The film was not touched.",
    "If it is evidence, attach it by its name: fieldkit attach FILE --kind document.",
)

# -- places ---------------------------------------------------------------------------------------
_define(
    "place-malformed",
    422,
    "{text!r} is not a position: {why}.",
    KEPT,
    "Write latitude,longitude,accuracy in degrees and metres, such as 20.4513,99.8802,6.",
)
_define(
    "crs-unknown",
    422,
    "{crs!r} is not a coordinate system that can be used here: {why}.",
    NOTHING_STORED,
    "Give an EPSG code such as EPSG:3375, or a PROJ string with its source.",
)
_define(
    "polygon-malformed",
    422,
    "The boundary cannot be used: {why}.",
    NOTHING_STORED,
    "Give each ring as four or more points, the last the same as the first.",
)

# -- the standard ---------------------------------------------------------------------------------
_define(
    "checklist-malformed",
    422,
    "The file has {count} fault(s). The first: {first}",
    "No checklist was changed.",
    "Mend each line named and load it again.",
)
_define(
    "xlsform-unreadable",
    422,
    "{name} cannot be read as a workbook: {why}.",
    "No draft was written.",
    "Save the form as an Excel workbook (.xlsx) without a password, and give that.",
)
_define(
    "xlsform-too-large",
    413,
    "{name} is too large to be a form: {what}.",
    "No draft was written.",
    "Copy the sheets survey, choices and settings into a new workbook, and give that.",
)
_define(
    "xlsform-malformed",
    422,
    "The form has {count} fault(s) that no draft can be made with. The first: {first}",
    "No draft was written.",
    "Mend each cell named and import it again.",
)
_define(
    "xlsform-text",
    422,
    "XLSForm cannot hold a text of {item}: it takes ${{ for the beginning of a reference.",
    "The checklist was not changed, and no form was written.",
    "Write the dollar sign and the bracket apart, or in words.",
)
_define(
    "checklist-unknown",
    404,
    "The checklist {checklist} is not on this device.",
    KEPT,
    "Connect and run: fieldkit prepare",
)
_define(
    "item-unknown",
    422,
    "There is no item {item!r} in this checklist.",
    KEPT,
    "Nearest: {nearest}.",
)
_define(
    "level-unknown",
    422,
    "{level!r} is not a level of {item}.",
    KEPT,
    "Use one of: {nearest}.",
)
_define(
    "reading-malformed",
    422,
    "The reading {reading!r} of {item} cannot be used: {why}.",
    KEPT,
    "Write it as analyte=value±uncertainty unit, such as As=0.008±0.001 mg/L. {hint}",
)
_define(
    "answer-incomplete",
    422,
    "The answer to {item} lacks {what}.",
    KEPT,
    "{hint}",
)
_define(
    "nothing-aside",
    409,
    "Nothing of that log is set aside in this inspection.",
    "Nothing was changed.",
    "Look at the inspection again: it may have been settled meanwhile.",
)
_define(
    "own-work",
    403,
    "You worked on this inspection yourself.",
    "Nothing was decided.",
    "Ask a colleague to decide: nobody rules on their own work.",
)
_define(
    "conflict-here",
    409,
    "Several values stand side by side at {what}, so nothing was recorded there.",
    "All of them are kept.",
    "See them with: fieldkit resolve {what}. Then keep one of them, or give another.",
)
_define(
    "conflict-unknown",
    404,
    "No values stand side by side at {what!r}.",
    KEPT,
    "In conflict here: {nearest}.",
)
_define(
    "conflict-which",
    409,
    "Values stand side by side at several places of {what}.",
    KEPT,
    "Say which one: {nearest}.",
)
_define(
    "conflict-moved",
    409,
    "What stands at {what} is not what you were shown: something arrived or was decided meanwhile.",
    "Nothing was decided. All values are kept.",
    "Look at what stands there now, and decide again where it is still needed.",
)
_define(
    "conflict-side",
    422,
    "There is no value {n} at {what}; there are {count}.",
    "Nothing was decided. All values are kept.",
    "Give the number of the value to keep, from 1 to {count}.",
)
_define(
    "conflict-unread",
    422,
    "A value at {what} needs a newer version to be read, so it cannot be weighed here.",
    "Nothing was decided. All values are kept.",
    "Update this program and look again, or leave the decision to who can read it.",
)
_define(
    "conflict-keep-only",
    422,
    "What stands at {what} can only be settled by keeping one of its values.",
    "Nothing was decided. All values are kept.",
    "Say which one to keep.",
)
_define(
    "instance-malformed",
    422,
    "{instance!r} cannot name an instance of {item}: {why}.",
    KEPT,
    "Use a short name such as well-1, without a slash.",
)
_define(
    "observation-unknown",
    422,
    "There is nothing called {what!r} to observe in this checklist.",
    KEPT,
    "Nearest: {nearest}.",
)
_define(
    "outcome-unknown",
    422,
    "{outcome!r} is not an outcome of a visit.",
    KEPT,
    "Use one of: {nearest}.",
)
_define(
    "declaration-malformed",
    422,
    "The declaration cannot be used: {why}.",
    NOTHING_STORED,
    "Mend the fields named and file it again.",
)
_define(
    "thresholds-malformed",
    422,
    "The thresholds of the discrepancy rules cannot be used ({where}): {why}.",
    "The thresholds used so far stay in force.",
    "Mend that line; docs/discrepancies.md lists what a thresholds file holds.",
)
_define(
    "rule-unknown",
    404,
    "There is no discrepancy rule called {rule!r}.",
    KEPT,
    "Use one of: {known}.",
)
_define(
    "score-export-malformed",
    422,
    "{name} is not an export that a score can be recomputed from: {why}.",
    "The file was not touched.",
    "Make the export again: fieldkit export, or the score's download on the inspection page.",
)
_define(
    "training-not-scored",
    409,
    "The inspection {inspection} is a training inspection; it has no score.",
    KEPT,
    "See how it compares with the reference answers instead.",
)

# -- the device -----------------------------------------------------------------------------------
_define(
    "device-not-enrolled",
    409,
    "This device is not enrolled yet.",
    KEPT,
    "Ask your office for an invitation, then run: fieldkit enrol LINK",
)
_define(
    "device-already-enrolled",
    409,
    "This device is already enrolled with {server}.",
    KEPT,
    "Use another folder with --home for a second device.",
)
_define(
    "inspection-unknown",
    404,
    "There is no inspection {inspection!r} on this device.",
    KEPT,
    "Nearest: {nearest}. Start one with: fieldkit start FACILITY",
)
_define(
    "inspection-unconfirmed",
    409,
    "No entry that counts says what the inspection {inspection} is about.",
    "What a colleague handed over of it is here, and goes along in bundles for the office.",
    "Sync: it counts once the office says so. fieldkit entries shows what is here.",
)
_define(
    "inspection-none",
    409,
    "No inspection is open on this device.",
    KEPT,
    "Start one with: fieldkit start FACILITY",
)
_define(
    "inspection-which",
    409,
    "Several inspections are open: {nearest}.",
    KEPT,
    "Say which with --inspection, or pick one with: fieldkit start FACILITY",
)
_define(
    "facility-unknown",
    404,
    "There is no facility {facility!r} on this device.",
    KEPT,
    "Nearest: {nearest}. Connect and run: fieldkit prepare",
)
_define(
    "sign-off-incomplete",
    409,
    "The inspection cannot be signed yet: {why}.",
    KEPT,
    "{hint}",
)
_define(
    "evidence-unknown",
    404,
    "No evidence of this inspection has a digest that begins with {sha256!r}.",
    KEPT,
    "List what there is with: fieldkit status --evidence",
)
_define(
    "evidence-which",
    409,
    "{count} files of this inspection have digests that begin with {sha256!r}.",
    KEPT,
    "Give more digits of the one you mean.",
)
_define(
    "disk-full",
    507,
    "The disk is full; {what} could not be written.",
    "Everything written before is safe.",
    "Free some space, then run the same command again.",
)
_define(
    "folder-read-only",
    507,
    "{folder} cannot be written to: {why}.",
    "Everything written before is safe.",
    "Make the folder writable or choose another with --home, then run the command again.",
)
_define(
    "store-damaged",
    500,
    "The store {path} cannot be read: {why}.",
    "The file was not changed.",
    "Keep a copy of the folder and tell your office; do not delete it.",
)
_define(
    "store-busy",
    503,
    "Another command is writing to this store and did not finish in {seconds} s.",
    KEPT,
    "Run the same command again.",
)
_define(
    "store-away",
    503,
    "The database does not answer: {why}.",
    "What was acknowledged before is safe; this was not acknowledged.",
    "Try again in a minute; if it recurs, ask whoever runs the database.",
)
_define(
    "database-url",
    422,
    "The database cannot be opened by what TAPAK_DATABASE says: {why}.",
    "Nothing was changed.",
    "Write postgresql://USER:PASSWORD@HOST/NAME, or leave it out for a SQLite file.",
)
_define(
    "key-unusable",
    409,
    "The device's key at {path} cannot be used: {why}.",
    "What was recorded stays readable on this device; without its key nothing can be signed.",
    "Put the key file back from your copy of the folder, or ask your office for an invitation.",
)
_define(
    "device-locked",
    409,
    "This device has a passphrase, and it is locked.",
    KEPT,
    "Run: fieldkit unlock. A script gives it as FIELDKIT_PASSPHRASE or FIELDKIT_PASSPHRASE_FD.",
)
_define(
    "passphrase-wrong",
    403,
    "This is not this device's passphrase.",
    "Nothing was changed. Wrong ones delete nothing, however many are tried.",
    "Try again; mind the keyboard's language and capital letters.",
)
_define(
    "passphrase-short",
    400,
    "The passphrase has fewer than {shortest} characters.",
    KEPT,
    "Choose a longer one; four or five words that do not belong together are good.",
)
_define(
    "passphrase-set",
    409,
    "This device has a passphrase already.",
    KEPT,
    "To choose another one, run: fieldkit passphrase change",
)
_define(
    "passphrase-none",
    409,
    "This device has no passphrase.",
    KEPT,
    "To set one, run: fieldkit passphrase set",
)
_define(
    "passphrase-needed",
    409,
    "The assignment of {facility} asks for a passphrase on this device, and it has none.",
    KEPT,
    "Run: fieldkit passphrase set, then do this again.",
)
_define(
    "passphrase-no-way-back",
    409,
    "The office has no copy of this device's key: it was never in contact with a passphrase set.",
    "What is sealed stays as it is. What the server signed for is safe there.",
    "Go on trying passphrases; wrong ones delete nothing. Or run: fieldkit wipe, and enrol anew.",
)
_define(
    "draft-answer-unfit",
    422,
    "This is not the answer to this device's request: {why}.",
    "Nothing was changed; what is sealed stays as it is.",
    "Run: fieldkit passphrase forgotten, and have the office answer that request.",
)
_define(
    "draft-request-unfit",
    422,
    "This is not a request for a forgotten passphrase that this server can open: {why}.",
    "Nothing was given out.",
    "Have the auditor run: fieldkit passphrase forgotten, and send what that writes.",
)
_define(
    "draft-code-differs",
    403,
    "The code is not the one of this request: it came from another device, or was exchanged.",
    "Nothing was given out.",
    "Speak with the auditor, and have the code read out that their own device shows.",
)
_define(
    "draft-device-revoked",
    403,
    "The device {device} was revoked; its key is given to nobody.",
    "Nothing was given out. What the server signed for is safe here.",
    "If the device is in the right hands again, enrol it anew.",
)
_define(
    "vault-damaged",
    409,
    "The keys of this device at {path} cannot be read: {why}.",
    "What is sealed stays as it is; without this file it cannot be opened here.",
    "Put the file back from your copy of the folder, or tell your office.",
)
_define(
    "device-in-use",
    409,
    "Another fieldkit command is at work in this folder.",
    KEPT,
    "End it (a track, a sync), then do this again.",
)
_define(
    "no-session",
    409,
    "This computer has no place in memory where a key can be held between commands.",
    KEPT,
    "Each command asks for the passphrase. On Linux, log in so that XDG_RUNTIME_DIR is set.",
)
_define(
    "inspection-sealed",
    409,
    "The inspection {inspection} was sealed: it is not on this device any more.",
    "The server holds it safely, or the bundle does that it was sealed into: fieldkit status.",
    "Read it with your office. To correct it, have it back: fieldkit seal --undo {inspection}",
)
_define(
    "seal-too-early",
    409,
    "The inspection {inspection} cannot be sealed yet: {why}.",
    KEPT,
    "Do that, then run fieldkit seal again.",
)
_define(
    "seal-not-there",
    409,
    "The server does not hold all of the sealed inspection {inspection} yet.",
    "It lies in the bundle that it was sealed into; nothing was changed here.",
    "Bring the bundle to your office. When it was read there, do this again.",
)
_define(
    "bundle-not-kept",
    409,
    "The bundle {name} cannot be trusted: {why}.",
    "Nothing was sealed; the inspection is on this device as before.",
    "Do not use that disk. Delete the file, and write to another one.",
)
_define(
    "wipe-not-typed",
    409,
    "Nothing was wiped: the words typed are not the ones that were asked for.",
    KEPT,
    "To wipe this device, type exactly: {words}",
)
_define(
    "server-keys-unfit",
    502,
    "What the server said about its keys does not fit: {why}.",
    "This device goes on trusting the keys it knew before. Nothing recorded is touched.",
    "Sync again on another network; if it recurs, tell your office before you seal anything.",
)
_define(
    "sealing-key-unknown",
    409,
    "This device does not know the server's sealing key yet.",
    KEPT,
    "Run: fieldkit sync, once, with a network. It comes with the first answer.",
)
# -- bundles (S10) --------------------------------------------------------------------------------
BUNDLE_KEPT = "What came before that place was checked and stays; nothing wrong was stored."
_define(
    "bundle-malformed",
    422,
    "This bundle cannot be read: {why}.",
    BUNDLE_KEPT,
    "Copy the file again from where it was made, or have a new bundle written.",
)
_define(
    "bundle-altered",
    422,
    "This bundle is cut short, or was altered or damaged on its way.",
    BUNDLE_KEPT,
    "Copy the file again from where it was made, or have a new bundle written.",
)
_define(
    "bundle-newer",
    422,
    "This bundle has format {version}, and this program reads format {known}.",
    NOTHING_STORED,
    "Install the newest version of this program and read the bundle again.",
)
_define(
    "bundle-part-too-large",
    413,
    "A part of a bundle ({part}) is of {size} bytes; the limit is {limit}.",
    BUNDLE_KEPT,
    "Have a new bundle written; a file over the limit goes on a disk of its own.",
)
_define(
    "bundle-not-sealed",
    422,
    "{name} is not a sealed bundle.",
    NOTHING_STORED,
    "Choose the file that ends in .tapak, as it was written.",
)
_define(
    "bundle-not-chosen",
    422,
    "No file was chosen.",
    NOTHING_STORED,
    "Choose the bundle, a file that ends in .tapak, and send the form again.",
)
_define(
    "bundle-other-server",
    422,
    "This bundle belongs to another server than {server}.",
    NOTHING_STORED,
    "Read it on a device that is enrolled with the server it belongs to.",
)
_define(
    "bundle-for-another",
    422,
    "This bundle was not sealed to this key.{hint}",
    NOTHING_STORED,
    "Give it to whom it was made for, or have a new one written for this key.",
)
_define(
    "bundle-passphrase-needed",
    422,
    "This bundle is sealed with a passphrase.",
    NOTHING_STORED,
    "Ask whoever made it for the passphrase, and give it: --passphrase.",
)
_define(
    "bundle-passphrase-wrong",
    422,
    "The passphrase does not open this bundle.",
    NOTHING_STORED,
    "Type it again exactly as it was given; upper and lower case count.",
)
_define(
    "bundle-passphrase-short",
    422,
    "A passphrase of {length} characters is too short for a bundle.",
    KEPT,
    "Give at least {least} characters, such as four or five words.",
)
_define(
    "bundle-exists",
    409,
    "There is a file called {name} already.",
    "It stays as it is; nothing was written.",
    "Give another name, or a folder: then the file gets a name of its own.",
)
_define(
    "bundle-no-room",
    507,
    "The bundle takes about {needed} and {folder} has {free} left.",
    "Nothing was written.",
    "Make room, use another disk, or leave the files out: --no-photos.",
)
_define(
    "bundle-disk-limit",
    507,
    "This disk cannot hold a file as large as this bundle, of {size}.",
    "Nothing was left half-written.",
    "Use a disk that is formatted as exFAT or NTFS; FAT32 holds files of up to 4 GB.",
)
_define(
    "bundle-nothing",
    409,
    "There is nothing to put into a bundle: the server holds everything safely.",
    KEPT,
    "To hand an inspection over all the same, name it: --inspection.",
)
_define(
    "bundle-no-files",
    404,
    "There is no bundle in {folder}.",
    NOTHING_STORED,
    "Choose the folder with the files that end in .tapak.",
)
_define(
    "recipient-unknown",
    404,
    "{name!r} is neither the office, nor a key, nor a person whose key is known here.",
    KEPT,
    "Ask them for what `fieldkit bundle key` shows on their device, and give that: --to age1…",
)
_define(
    "device-without-key",
    409,
    "The device {device} has not told the server what to seal to it.",
    NOTHING_STORED,
    "Read a bundle of that device first, or have it sync once.",
)
_define(
    "device-ended",
    409,
    "The device {device} was retired or revoked: nothing is sealed to it any more.",
    NOTHING_STORED,
    "Invite its person to enrol a device; that one is told everything.",
)
_define(
    "certificate-unfit",
    502,
    "The certificate that came does not fit this device: {why}.",
    "The device's key and all work stay on this device.",
    "Run the same command again; if it recurs, ask your office for a new invitation.",
)
_define(
    "receipt-unfit",
    409,
    "The receipt does not fit what is on this device: {why}.",
    "Nothing was marked as held; all work stays on this device.",
    "Keep this device as it is and tell your office; the server may have been given another copy.",
)
_define(
    "keys-too-often",
    409,
    "The server's keys were changed {count} times; devices follow at most 64 statements.",
    "Nothing was changed.",
    "Keep the keys that are in use.",
)
_define(
    "keys-moved",
    409,
    "The server's keys were changed by another command just now.",
    "That change stands; this one did nothing.",
    "Look at what was done in the audit trail; change them again if they still have to be.",
)
_define(
    "enrolment-blocked",
    429,
    "Too many wrong invitation codes came from this address.",
    "No invitation was used up; all work stays on its device.",
    "Wait {minutes} minutes, then type the code again exactly as the invitation shows it.",
)
_define(
    "nonce-unfit",
    409,
    "The server's nonce cannot be used: {why}.",
    "Nothing of the answer was kept; all work stays on this device.",
    "Try again from another network; tell your office if this comes again.",
)
_define(
    "checkpoint-unfit",
    409,
    "The checkpoint of the server's records cannot be relied on: {why}.",
    "All work stays on this device, with every receipt that it was given.",
    "Keep this device as it is and tell your office: records may have been taken away there.",
)

# -- talking to the server ------------------------------------------------------------------------
_define(
    "server-away",
    503,
    "The server at {server} cannot be reached: {why}.",
    "All work stays on this device, unsent parts included.",
    "Go on working; sync again when there is a network.",
)
_define(
    "server-error",
    502,
    "The server answered with status {status_code} and no message it should have given.",
    "All work stays on this device, unsent parts included.",
    "Sync again later; if it recurs, tell your office.",
)
_define(
    "server-key-changed",
    409,
    "The server's key is not the one in the invitation.",
    "Nothing was kept on this device, and no record left it.",
    "Do not go on. Ask your office for a new invitation by another way than this network.",
)
_define(
    "server-unproved",
    409,
    "What answers at this address did not prove that it holds the server's key.",
    "The invitation's code was not shown to it, and nothing was kept on this device.",
    "Try another network. If it recurs, ask your office whether its server is up to date.",
)
_define(
    "invitation-malformed",
    400,
    "{text!r} is not an invitation.",
    NOTHING_STORED,
    "Copy the whole link, from http to the last character.",
)
_define(
    "invitation-unknown",
    403,
    "This invitation does not exist, is used up or has expired.",
    NOTHING_STORED,
    "Ask your office for a new one.",
)
_define(
    "device-key-malformed",
    422,
    "The device's public key cannot be used.",
    NOTHING_STORED,
    "Enrol again from an up-to-date client.",
)
_define(
    "token-missing",
    401,
    "The request says nothing about who is asking.",
    NOTHING_STORED,
    "Log in, or enrol the device.",
)
_define(
    "token-unknown",
    401,
    "The server does not know this device's token, or not any more.",
    "All work stays on the device, unsent parts included.",
    "Ask your office for an invitation, then run: fieldkit enrol LINK. The work goes up then.",
)
_define(
    "device-not-yours",
    403,
    "The segment belongs to a device that this server does not know.",
    NOTHING_STORED,
    "Enrol that device first.",
)

# -- protected people (L8) ------------------------------------------------------------------------
_define(
    "safeguarding-none",
    409,
    "No safeguarding key is known here, so nothing can be sealed.",
    "Nothing was written: what you typed is not on this device.",
    "Ask your office to publish one (tapak admin safeguarding-key), then run: fieldkit prepare",
)
_define(
    "safeguarding-unconfirmed",
    409,
    "The safeguarding keys were replaced by others, which nobody has confirmed on this device.",
    "Nothing was written, and nothing was sealed to a key you do not know.",
    "Compare fingerprints with your safeguarding person, then: fieldkit interview keys --confirm",
)
_define(
    "safeguarding-signature",
    409,
    "The list of safeguarding keys is not signed by the server this device knows.",
    "The keys that were here before stay as they were.",
    "Do not use this server; tell your office at once, by another way.",
)
_define(
    "safeguarding-place",
    422,
    "The private key must not lie in the server's data folder: {path}.",
    "No key was made.",
    "Give a path on a stick or disk that leaves this machine, such as: --out /media/usb/key.txt",
)
_define(
    "recipient-malformed",
    422,
    "{text!r} is not the public half of an age key.",
    "Nothing was published.",
    "Give the line that begins with age1, as age-keygen prints it.",
)
_define(
    "interview-malformed",
    422,
    "The form cannot be read: {why}.",
    "Nothing was written. What you gave is where it was before.",
    "See the form with: fieldkit interview form",
)
_define(
    "interview-unknown",
    404,
    "No protected entry that waits for your sign-off begins with {id!r}.",
    KEPT,
    "See them with: fieldkit interview list",
)
_define(
    "interview-signed",
    409,
    "The protected entry {id} is signed already, so this device cannot take it back.",
    KEPT,
    "Tell the safeguarding person its number; after they withdraw it, sync drops the key here too.",
)
_define(
    "sealed-unreadable",
    422,
    "What was sealed cannot be read: {why}.",
    "The sealed bytes stay as they are.",
    "Ask for the file again; if it recurs, keep the bytes and say which entry it is.",
)
_define(
    "sealed-key-destroyed",
    410,
    "The key {sha256} was destroyed, because consent was withdrawn.",
    "The entry and its signature stay as they are; what it held can be read by nobody.",
    "Nothing is to be done. The device drops its copy at its next sync.",
)
_define(
    "sealed-key-unfit",
    409,
    "The file {sha256} that the entry names as its key is not a key.",
    "Nothing was destroyed.",
    "Have the device that wrote the entry looked at; the file may be evidence.",
)
_define(
    "unseal-key",
    422,
    "The key in {path} opens none of this: {why}.",
    "Nothing was written.",
    "Use the safeguarding key whose fingerprint the entry names.",
)

# -- backups --------------------------------------------------------------------------------------
_define(
    "backup-place",
    409,
    "{folder} is inside the server's data folder.",
    "Nothing was written.",
    "Choose a folder on another disk: what destroys the server must not destroy its backup.",
)
_define(
    "backup-busy",
    409,
    "Another backup into {folder} is under way.",
    "Nothing was written.",
    "Wait until it has ended, then run the same command again.",
)
_define(
    "backup-none",
    404,
    "There is no whole backup in {folder}.",
    "Nothing was changed.",
    "Check the path. A backup that was cut short does not count: make one with tapak admin backup.",
)
_define(
    "backup-newer",
    409,
    "The backup {run} was made by a newer Tapak ({program}) than this one.",
    "Nothing was changed.",
    "Install that version or a later one, then run the same command again.",
)
_define(
    "backup-damaged",
    422,
    "The backup {run} has {count} fault(s). The first: {first}",
    "Nothing was restored; the backup was not changed.",
    "List them with: tapak admin backup --check FOLDER. {hint}",
)
_define(
    "backup-failed",
    507,
    "What was written to the backup {run} cannot be read back: {first}",
    "It does not count as a backup; those before it stay as they were.",
    "Check the disk it lies on, or choose another folder, and run the same command again.",
)
_define(
    "backup-key-missing",
    409,
    "The backup {run} was made without the server's key.",
    "Nothing was changed.",
    "Give the key file with --key. Without it every device would have to be enrolled again.",
)
_define(
    "backup-sealing-key-missing",
    404,
    "The backup {run} holds no sealing key, and none was found beside the server's key.",
    "Nothing was written.",
    "Put the server's {file} beside the file that you give with --key.",
)
_define(
    "backup-key-other",
    409,
    "The key at {path} is not the key of the server that the backup {run} is of.",
    "Nothing was changed.",
    "{hint}",
)
_define(
    "restore-not-empty",
    409,
    "{what} is not empty.",
    "Nothing was changed: a restore overwrites nothing.",
    "Restore into a new data folder (--data) and an empty database (TAPAK_DATABASE).",
)
_define(
    "restore-unfinished",
    503,
    "A restore into this database began and did not finish.",
    "The backup that it came from is untouched.",
    "Run tapak admin restore again with the same backup; it begins anew.",
)
_define(
    "table-unreadable",
    500,
    "The table {table} has a row that cannot be read: {why}.",
    "Nothing was changed; earlier backups stay as they were.",
    "Run: tapak admin verify. It names what is damaged.",
)
_define(
    "table-refused",
    422,
    "The database does not take a row of the table {table}: {why}.",
    "The restore is not finished; the backup is untouched.",
    "Check the kind and the version of the database, then run the same command again.",
)

# -- people and permissions -----------------------------------------------------------------------
_define(
    "login-failed",
    401,
    "The name or the password is not right.",
    "Nothing was changed.",
    "Try again, or ask an administrator for a new password.",
)
_define(
    "login-needed",
    401,
    "This page needs a login.",
    "Nothing was changed.",
    "Log in and open it again.",
)
_define(
    "login-blocked",
    429,
    "Too many failed logins for this name.",
    "The account and its work are untouched.",
    "Wait {minutes} minutes, then try again.",
)
_define(
    "form-expired",
    400,
    "The form is too old or came from another page.",
    NOTHING_STORED,
    "Open the page again and send the form from there.",
)
_define(
    "not-permitted",
    403,
    "Your role does not include this.",
    "Nothing was changed.",
    "Ask an administrator if your duty needs it.",
)
_define(
    "not-found",
    404,
    "There is nothing here that you may see.",
    "Nothing was changed.",
    "Check the address, or go back to the list.",
)
_define(
    "method-not-allowed",
    405,
    "This address does not take that kind of request.",
    NOTHING_STORED,
    "See the API's description for what it takes.",
)
_define(
    "media-type",
    415,
    "The request's content type {given!r} is not one this address takes.",
    NOTHING_STORED,
    "Send it as {wanted}.",
)
_define(
    "already-there",
    409,
    "There is already a {noun} called {name!r}.",
    NOTHING_STORED,
    "Choose another name, or change the one that is there.",
)
_define(
    "already-published",
    409,
    "Version {version} of the {kind} {name!r} is published already, with other content.",
    "The published version stays as it is.",
    "Give the changed document a new version and publish it again.",
)
_define(
    "already-in-force",
    409,
    "Version {version} of the {kind} {name!r} is in force from these days already.",
    NOTHING_STORED,
    "Give a jurisdiction or a day that is new.",
)
_define(
    "proposal-own",
    403,
    "You proposed version {version} of the {kind} {name!r} yourself.",
    "The proposal waits as it is.",
    "Let another person who may approve it decide.",
)
_define(
    "proposal-decided",
    409,
    "This proposal was {ruling} already.",
    "What was decided stands; this changed nothing.",
    "Look at what is in force. For something else, make another proposal.",
)
_define(
    "kinds-differ",
    422,
    "{one} and {other} are of two kinds: {kind} and {other_kind}.",
    NOTHING_STORED,
    "Compare two checklists, or two limits tables.",
)
_define(
    "not-an-auditor",
    422,
    "{name} is not an auditor for the jurisdiction {jurisdiction!r}.",
    NOTHING_STORED,
    "Choose an auditor of that jurisdiction, or have the role granted first.",
)
_define(
    "device-of-another",
    409,
    "This device's key is enrolled for somebody else, or was withdrawn.",
    "The invitation can still be used.",
    "Enrol with a new key: choose another folder with --home, and use the same invitation.",
)
_define(
    "device-is-account",
    409,
    "{device} is no device: it is the log that this server keeps for the account of {login}.",
    "Nothing was changed; what is decided in that log counts as before.",
    "Name one of the devices that tapak admin device list shows with the kind device.",
)
_define(
    "one-process",
    409,
    "{workers} serving processes were asked for, and a SQLite file takes one.",
    "Nothing was changed.",
    "Leave out --workers, or name a PostgreSQL database in TAPAK_DATABASE.",
)
_define(
    "address-in-use",
    503,
    "The server cannot listen at {address}: {why}.",
    "Nothing was changed.",
    "Stop what is listening there, or choose another port with --port.",
)
_define(
    "noun-unknown",
    404,
    "There is no {noun} called {name!r}.",
    NOTHING_STORED,
    "Check the name; nearest: {nearest}.",
)
_define(
    "internal",
    500,
    "Something went wrong on the server that it has no name for.",
    "What was acknowledged before is safe.",
    "Try again; if it recurs, give staff the number {number}.",
)
