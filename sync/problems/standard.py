"""The shared standard: checklists, their forms and versions, declarations, scores."""

from __future__ import annotations

from sync.problems.kind import KEPT, NOTHING_STORED, Kind

KINDS = (
    Kind(
        "print-missing",
        422,
        "Typst and the fonts, which set a checklist for print, are not installed.",
        "The page (--html) and the terminal need neither.",
        "Install them: pip install 'tapak[print]'.",
    ),
    Kind(
        "glyphs-missing",
        422,
        "{count} characters are in none of the fonts: {shown}.",
        "Nothing was written.",
        "Name a folder with a font that has them: --fonts FOLDER.",
    ),
    Kind(
        "checklist-malformed",
        422,
        "The file has {count} fault(s). The first: {first}",
        "No checklist was changed.",
        "Mend each line named and load it again.",
    ),
    Kind(
        "xlsform-unreadable",
        422,
        "{name} cannot be read as a workbook: {why}.",
        "No draft was written.",
        "Save the form as an Excel workbook (.xlsx) without a password, and give that.",
    ),
    Kind(
        "xlsform-too-large",
        413,
        "{name} is too large to be a form: {what}.",
        "No draft was written.",
        "Copy the sheets survey, choices and settings into a new workbook, and give that.",
    ),
    Kind(
        "xlsform-malformed",
        422,
        "The form has {count} fault(s) that no draft can be made with. The first: {first}",
        "No draft was written.",
        "Mend each cell named and import it again.",
    ),
    Kind(
        "xlsform-text",
        422,
        "XLSForm cannot hold a text of {item}: it takes ${{ for the beginning of a reference.",
        "The checklist was not changed, and no form was written.",
        "Write the dollar sign and the bracket apart, or in words.",
    ),
    Kind(
        "checklist-unknown",
        404,
        "The checklist {checklist} is not on this device.",
        KEPT,
        "Connect and run: fieldkit prepare",
    ),
    Kind(
        "declaration-malformed",
        422,
        "The declaration cannot be used: {why}.",
        NOTHING_STORED,
        "Mend the fields named and file it again.",
    ),
    Kind(
        "thresholds-malformed",
        422,
        "The thresholds of the discrepancy rules cannot be used ({where}): {why}.",
        "The thresholds used so far stay in force.",
        "Mend that line; docs/discrepancies.md lists what a thresholds file holds.",
    ),
    Kind(
        "rule-unknown",
        404,
        "There is no discrepancy rule called {rule!r}.",
        KEPT,
        "Use one of: {known}.",
    ),
    Kind(
        "score-export-malformed",
        422,
        "{name} is not an export that a score can be recomputed from: {why}.",
        "The file was not touched.",
        "Make the export again: fieldkit export, or the score's download on the inspection page.",
    ),
    Kind(
        "training-not-scored",
        409,
        "The inspection {inspection} is a training inspection; it has no score.",
        KEPT,
        "See how it compares with the reference answers instead.",
    ),
    Kind(
        "already-published",
        409,
        "Version {version} of the {kind} {name!r} is published already, with other content.",
        "The published version stays as it is.",
        "Give the changed document a new version and publish it again.",
    ),
    Kind(
        "already-in-force",
        409,
        "Version {version} of the {kind} {name!r} is in force from these days already.",
        NOTHING_STORED,
        "Give a jurisdiction or a day that is new.",
    ),
    Kind(
        "proposal-own",
        403,
        "You proposed version {version} of the {kind} {name!r} yourself.",
        "The proposal waits as it is.",
        "Let another person who may approve it decide.",
    ),
    Kind(
        "proposal-decided",
        409,
        "This proposal was {ruling} already.",
        "What was decided stands; this changed nothing.",
        "Look at what is in force. For something else, make another proposal.",
    ),
    Kind(
        "kinds-differ",
        422,
        "{one} and {other} are of two kinds: {kind} and {other_kind}.",
        NOTHING_STORED,
        "Compare two checklists, or two limits tables.",
    ),
)
