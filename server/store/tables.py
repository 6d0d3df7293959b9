"""Every table of the server. Times are UTC milliseconds; digests are lower-case hex SHA-256.

Primary records (what people and devices said) are never updated in place except where a column
says so; `flags`, `assessments`, `held_aside` and `file_facts` are derived: they can be deleted
and rebuilt.

Every table is part of a backup, but those that say in their `info` that they are not: what is
derived is worked out again, and what only holds for the running server ends with it.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    false,
    text,
)

from server.store.types import Counter, Key, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Why a table is not part of a backup.
DERIVED = {"backup": "derived"}
PASSING = {"backup": "passing"}

# -- the server itself ----------------------------------------------------------------------------

server = Table(
    "server",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("n", Counter, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("line", LargeBinary, nullable=False),
    Column("h", Text, nullable=False),
    Index(None, "subject"),
)

# -- people, roles, sessions ----------------------------------------------------------------------

jurisdictions = Table(
    "jurisdictions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("parent", Text, ForeignKey("jurisdictions.id")),
    Column("kind", Text, nullable=False),
)

people = Table(
    "people",
    metadata,
    Column("id", Text, primary_key=True),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("password", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

grants = Table(
    "grants",
    metadata,
    Column("person", Text, ForeignKey("people.id"), nullable=False),
    Column("role", Text, nullable=False),
    Column("jurisdiction", Text, ForeignKey("jurisdictions.id"), nullable=False),
    PrimaryKeyConstraint("person", "role", "jurisdiction"),
)

login_failures = Table(
    "login_failures",
    metadata,
    Column("login", Text, primary_key=True),
    Column("count", Integer, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    info=PASSING,
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_digest", Text, primary_key=True),
    Column("person", Text, ForeignKey("people.id"), nullable=False),
    Column("csrf", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    info=PASSING,
)

# -- devices (S8) ---------------------------------------------------------------------------------

invitations = Table(
    "invitations",
    metadata,
    Column("code_digest", Text, primary_key=True),
    Column("person", Text, ForeignKey("people.id"), nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    Column("used_by", Text),
)

devices = Table(
    "devices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("person", Text, ForeignKey("people.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("token_digest", Text, unique=True),
    Column("certificate", LargeBinary, nullable=False),
    Column("enrolled_at", BigInteger, nullable=False),
    Column("status", Text, nullable=False),  # active, retired, revoked
    Column("last_seen_at", BigInteger),
    Column("kind", Text, nullable=False, server_default="device"),  # or account: kept here (S9)
    Index(None, "person"),
)

# -- the standard and the facilities --------------------------------------------------------------

documents = Table(
    "documents",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # checklist, limits, profile, rules
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("published_at", BigInteger, nullable=False),
    Index(None, "kind", "name"),
)

# From which day a published document applies where. An empty jurisdiction is everywhere, an empty
# day has no beginning: what was put in force at the console, when the server was set up.
in_force = Table(
    "in_force",
    metadata,
    Column("id", Counter, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("jurisdiction", Text, nullable=False),
    Column("effective", Text, nullable=False),  # YYYY-MM-DD
    Column("digest", Text, ForeignKey("documents.digest"), nullable=False),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("digest", "jurisdiction", "effective"),
    Index(None, "kind", "name"),
)

# What one person proposes and another one decides: a document, and where it applies from when.
proposals = Table(
    "proposals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("effective", Text, nullable=False),  # a JSON object: jurisdiction to day
    Column("proposed_by", Text, ForeignKey("people.id"), nullable=False),
    Column("proposed_at", BigInteger, nullable=False),
    # Set once, by somebody else: approved or refused.
    Column("ruling", Text),
    Column("reason", Text),
    Column("ruled_by", Text, ForeignKey("people.id")),
    Column("ruled_at", BigInteger),
    Index(None, "digest"),
)

facilities = Table(
    "facilities",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("country", Text, nullable=False),
    Column("jurisdiction", Text, ForeignKey("jurisdictions.id"), nullable=False),
    Column("checklist", Text, nullable=False),  # name of the checklist that applies
    Column("limits", Text),  # name of the limits table that applies
    Column("example", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Index(None, "jurisdiction"),
)

declarations = Table(
    "declarations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("facility", Text, ForeignKey("facilities.id"), nullable=False),
    Column("filed", Text, nullable=False),
    Column("speaks_of", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Index(None, "facility"),
)

assignments = Table(
    "assignments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("facility", Text, ForeignKey("facilities.id"), nullable=False),
    Column("person", Text, ForeignKey("people.id"), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("not_before", Text, nullable=False),
    Column("not_after", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),  # when staff ended it, before its last day or after
    # A visit that begins early or runs over by so many days is still the one that was meant (S9).
    Column("grace_days", Integer, nullable=False, server_default="14"),
    Column("conflict", Boolean),  # a device that goes there needs a passphrase (S11)
    UniqueConstraint("facility", "person", "not_before"),
    Index(None, "person"),
)

# -- what devices sent (L2, L4, S2, S3) -----------------------------------------------------------

inspections = Table(
    "inspections",
    metadata,
    Column("id", Text, primary_key=True),
    Column("facility", Key),  # as its first about entry says; not a key: it may be unlisted yet
    Column("mode", Text),
    Column("first_seen_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("creator", Text),  # whose device said what it is about, once that is known
    # Whether somebody who may has said so; until then the first who may says what it is (S9).
    Column("settled", Boolean, nullable=False, server_default=false()),
    Index(None, "facility"),
)

logs = Table(
    "logs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("device", Text, ForeignKey("devices.id"), nullable=False),
    Column("inspection", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("h", LargeBinary, nullable=False),
    UniqueConstraint("device", "inspection"),
    Index(None, "inspection"),
)

# Staff's rulings on what a log holds beyond its person's assignments (S9); the latest one stands,
# for entries up to `seq`, which is what the ruling person was shown.
admissions = Table(
    "admissions",
    metadata,
    Column("id", Counter, primary_key=True),
    Column("device", Text, nullable=False),
    Column("inspection", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("ruling", Text, nullable=False),  # admitted, refused
    Column("reason", Text, nullable=False),
    Column("person", Text, ForeignKey("people.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Index(None, "inspection"),
)

segments = Table(
    "segments",
    metadata,
    Column("log", Integer, ForeignKey("logs.id"), nullable=False),
    Column("first", Integer, nullable=False),
    Column("last", Integer, nullable=False),
    # The lines as they came, each with a line feed behind it; and of each, so that a damaged one
    # can be named, its length (4 bytes, big-endian) and its chain hash (32 bytes).
    Column("lines", LargeBinary, nullable=False),
    Column("lengths", LargeBinary, nullable=False),
    Column("hashes", LargeBinary),
    Column("signature", LargeBinary, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("offset_ms", BigInteger),  # server clock minus the device's (L9), where it told its own
    Column("revoked", Boolean),  # true: it came after its device was revoked, and is marked (S8)
    # Positions (4 bytes each, big-endian) of entries that carry lines of another device which were
    # not here when that was revoked (S3, S8).
    Column("late", LargeBinary),
    PrimaryKeyConstraint("log", "last"),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Counter, primary_key=True),
    Column("device", Text, nullable=False),
    Column("inspection", Text, nullable=False),
    Column("first", Integer, nullable=False),
    Column("why", Text, nullable=False),
    Column("branch", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("received_at", BigInteger, nullable=False),
    # Null in what was set aside before branches were kept whole: see store/branches.py.
    Column("root", Text),
    Column("fork", Integer),
    Column("before", LargeBinary),
    Index(None, "device", "inspection"),
)

# What was refused of a device's sending, the newest of each sender: no line of it.
refusals = Table(
    "refusals",
    metadata,
    Column("id", Counter, primary_key=True),
    Column("sender", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("log", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("said", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    UniqueConstraint("sender", "device", "log", "code"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("id", Counter, primary_key=True),
    Column("device", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index(None, "device"),
)

# -- files (S4, S6) -------------------------------------------------------------------------------

files = Table(
    "files",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("held_at", BigInteger, nullable=False),
    Column("was_read", Boolean),  # derived: null until something is in file_facts
    Index(
        "ix_files_unread",
        "sha256",
        sqlite_where=text("was_read IS NULL"),
        postgresql_where=text("was_read IS NULL"),
    ),
)

file_names = Table(
    "file_names",
    metadata,
    Column("sha256", Text, nullable=False),
    Column("inspection", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("kind", Text, nullable=False),
    PrimaryKeyConstraint("sha256", "inspection", "device"),
    Index(None, "inspection"),
    Index(None, "device"),
)

file_scopes = Table(
    "file_scopes",
    metadata,
    Column("sha256", Text, ForeignKey("files.sha256"), nullable=False),
    Column("person", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    PrimaryKeyConstraint("sha256", "person"),
)

file_facts = Table(
    "file_facts",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("facts", LargeBinary),
    Column("problem", Text),
    info=DERIVED,
)

# -- protected people (L8) ------------------------------------------------------------------------

safeguarding_keys = Table(
    "safeguarding_keys",
    metadata,
    Column("recipient", Text, primary_key=True),  # the public half; the other never comes here
    Column("name", Text, nullable=False),
    Column("added_by", Text, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
)

sealed_entries = Table(
    "sealed_entries",
    metadata,
    Column("id", Key, nullable=False),
    Column("inspection", Text, nullable=False),
    Column("device", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("files", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("day", BigInteger, nullable=False),
    PrimaryKeyConstraint("id", "inspection", "device", "key"),
    Index(None, "inspection"),
)

withdrawals = Table(
    "withdrawals",
    metadata,
    Column("key", Text, primary_key=True),  # the digest of the file that is not to be again
    Column("entry", Key, nullable=False),
    Column("inspection", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("destroyed_at", BigInteger),  # set once, when the bytes are gone
    Index(None, "entry"),
)

# -- changes for devices (S5) ---------------------------------------------------------------------

changes = Table(
    "changes",
    metadata,
    Column("n", Counter, primary_key=True, autoincrement=False),
    Column("person", Text, nullable=False),
    Column("kind", Text, nullable=False),  # facility, declaration, checklist, limits, ...
    Column("ref", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index(None, "person", "n"),
)

# -- the server's own keys (S8) -------------------------------------------------------------------

server_keys = Table(
    "server_keys",
    metadata,
    Column("number", Counter, primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    # The sealing key that this statement replaced, sealed to the new one: what was sealed to the
    # old one can still be opened by whoever holds the newest.
    Column("old_sealing", LargeBinary),
)

# -- checkpoints (S13) ----------------------------------------------------------------------------

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("n", Counter, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False, unique=True),  # the digest that receipts quote
    Column("at", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    # The heads that moved since the checkpoint before: lines "name seq h", packed.
    Column("moved", LargeBinary, nullable=False),
)

# -- scores and flags -----------------------------------------------------------------------------

gradings = Table(
    "gradings",
    metadata,
    Column("facility", Key, primary_key=True),
    Column("as_of", Text, nullable=False),
    Column("stale", Boolean, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
)

rulings = Table(
    "rulings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),  # flag, evidence, conflict
    Column("subject", Text, nullable=False),
    Column("ruling", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("person", Text, ForeignKey("people.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Index(None, "subject"),
)

flags = Table(
    "flags",
    metadata,
    Column("id", Text, primary_key=True),
    Column("facility", Text, nullable=False),
    Column("inspection", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index(None, "facility"),
    Index(None, "inspection"),
    info=DERIVED,
)

held_aside = Table(
    "held_aside",
    metadata,
    Column("inspection", Text, primary_key=True),
    Column("facility", Text, nullable=False),
    Column("set_aside", Integer, nullable=False),
    Column("revoked", Integer, nullable=False),
    Column("unread", Integer, nullable=False),
    Column("carried", Integer, nullable=False),
    Column("unsigned", Integer, nullable=False),
    Index(None, "facility"),
    info=DERIVED,
)

assessments = Table(
    "assessments",
    metadata,
    Column("scope", Text, nullable=False),  # facility, inspection
    Column("subject", Text, nullable=False),
    Column("facility", Text, nullable=False),
    Column("as_of", Text, nullable=False),
    Column("grade", Text),
    Column("grade_state", Text, nullable=False),
    Column("score", LargeBinary, nullable=False),
    Column("inputs", LargeBinary, nullable=False),
    Column("findings", LargeBinary, nullable=False),
    PrimaryKeyConstraint("scope", "subject"),
    Index(None, "facility"),
    info=DERIVED,
)

# -- the workers ----------------------------------------------------------------------------------

# What entries tell of that cannot wait (S7).
hazards = Table(
    "hazards",
    metadata,
    Column("inspection", Key, nullable=False),
    Column("id", Key, nullable=False),
    Column("device", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("lat", Text, nullable=False),
    Column("lon", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("seen_by", Key, nullable=True),
    Column("seen_at", BigInteger, nullable=True),
    Column("seen_why", Text, nullable=True),
    PrimaryKeyConstraint("inspection", "id"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", BigInteger, nullable=False),
    info=PASSING,
)

# -- conflict events and areas of high risk -------------------------------------------------------

# A file that was imported: only the current one of each source counts.
conflict_snapshots = Table(
    "conflict_snapshots",
    metadata,
    Column("id", Counter, primary_key=True),
    Column("source", Text, nullable=False),  # ucdp, acled, cahra
    Column("state", Text, nullable=False),  # staging, current, replaced, refused
    Column("name", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("version", Text, nullable=False),
    Column("licence", Text, nullable=False),
    Column("accessed", Text, nullable=False),  # YYYY-MM-DD
    Column("countries", Text, nullable=False),  # a JSON list; world is every country
    Column("begins", Text, nullable=False),  # YYYY-MM-DD
    Column("ends", Text, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("coarse", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("imported_at", BigInteger, nullable=False),
    Index(None, "source", "state"),
)

# Days are counted from 1 January of the year 1; degrees are times 10^7. A coarse event has no
# position, and as its cell -1.
conflict_events = Table(
    "conflict_events",
    metadata,
    Column("snapshot", BigInteger, nullable=False),
    Column("id", Text, nullable=False),
    Column("cell", Integer, nullable=False),
    Column("day", Integer, nullable=False),
    Column("first", Integer, nullable=False),
    Column("last", Integer, nullable=False),
    Column("lat_e7", Integer),
    Column("lon_e7", Integer),
    Column("radius_m", Integer, nullable=False),
    Column("weight", Integer, nullable=False),
    Column("deaths", Integer, nullable=False),
    Column("stamp", BigInteger, nullable=False),
    Column("country", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("place", Text, nullable=False),
    PrimaryKeyConstraint("snapshot", "id"),
    # All that the lookup wants, so that it reads neighbours in the index and no row elsewhere.
    Index(
        "ix_conflict_events_near",
        *("snapshot", "cell", "day", "lat_e7", "lon_e7", "radius_m", "weight", "deaths"),
        *("first", "last", "id"),
    ),
)

conflict_rejected = Table(
    "conflict_rejected",
    metadata,
    Column("snapshot", BigInteger, nullable=False),
    Column("file", Text, nullable=False),
    Column("row", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
    PrimaryKeyConstraint("snapshot", "file", "row"),
)

conflict_areas = Table(
    "conflict_areas",
    metadata,
    Column("snapshot", BigInteger, nullable=False),
    Column("region", Text, nullable=False),  # ISO 3166-2, or a country
    Column("status", Text, nullable=False),
    Column("day", Text, nullable=False),
    PrimaryKeyConstraint("snapshot", "region"),
)
