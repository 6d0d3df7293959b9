"""Backups and restoring."""

from __future__ import annotations

from sync.problems.kind import Kind

KINDS = (
    Kind(
        "backup-place",
        409,
        "{folder} is inside the server's data folder.",
        "Nothing was written.",
        "Choose a folder on another disk: what destroys the server must not destroy its backup.",
    ),
    Kind(
        "backup-busy",
        409,
        "Another backup into {folder} is under way.",
        "Nothing was written.",
        "Wait until it has ended, then run the same command again.",
    ),
    Kind(
        "backup-none",
        404,
        "There is no whole backup in {folder}.",
        "Nothing was changed.",
        "Check the path. A backup that was cut short does not count: make one with "
        "tapak admin backup.",
    ),
    Kind(
        "backup-newer",
        409,
        "The backup {run} was made by a newer Tapak ({program}) than this one.",
        "Nothing was changed.",
        "Install that version or a later one, then run the same command again.",
    ),
    Kind(
        "backup-damaged",
        422,
        "The backup {run} has {count} fault(s). The first: {first}",
        "Nothing was restored; the backup was not changed.",
        "List them with: tapak admin backup --check FOLDER. {hint}",
    ),
    Kind(
        "backup-failed",
        507,
        "What was written to the backup {run} cannot be read back: {first}",
        "It does not count as a backup; those before it stay as they were.",
        "Check the disk it lies on, or choose another folder, and run the same command again.",
    ),
    Kind(
        "backup-key-missing",
        409,
        "The backup {run} was made without the server's key.",
        "Nothing was changed.",
        "Give the key file with --key. Without it every device would have to be enrolled again.",
    ),
    Kind(
        "backup-sealing-key-missing",
        404,
        "The backup {run} holds no sealing key, and none was found beside the server's key.",
        "Nothing was written.",
        "Put the server's {file} beside the file that you give with --key.",
    ),
    Kind(
        "backup-key-other",
        409,
        "The key at {path} is not the key of the server that the backup {run} is of.",
        "Nothing was changed.",
        "{hint}",
    ),
    Kind(
        "restore-not-empty",
        409,
        "{what} is not empty.",
        "Nothing was changed: a restore overwrites nothing.",
        "Restore into a new data folder (--data) and an empty database (TAPAK_DATABASE).",
    ),
    Kind(
        "restore-unfinished",
        503,
        "A restore into this database began and did not finish.",
        "The backup that it came from is untouched.",
        "Run tapak admin restore again with the same backup; it begins anew.",
    ),
    Kind(
        "table-unreadable",
        500,
        "The table {table} has a row that cannot be read: {why}.",
        "Nothing was changed; earlier backups stay as they were.",
        "Run: tapak admin verify. It names what is damaged.",
    ),
    Kind(
        "table-refused",
        422,
        "The database does not take a row of the table {table}: {why}.",
        "The restore is not finished; the backup is untouched.",
        "Check the kind and the version of the database, then run the same command again.",
    ),
)
