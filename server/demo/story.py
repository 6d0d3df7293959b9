"""What the two fictional auditors do: their pictures, papers, answers and observations, as data.

Every step is a fieldkit command; run.py runs them against the real client and the real server.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture to make and attach: where it stands (metres east and north of the centre)."""

    name: str
    scene: str
    east: float | None
    north: float | None
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """A fictional document, laboratory sheet, walk or interview summary, and what it supports."""

    name: str
    kind: str
    text: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """One inspection by one auditor."""

    auditor: str
    facility: str
    start: tuple[float, float]
    shots: tuple[Shot, ...]
    papers: tuple[Paper, ...]
    answers: tuple[tuple[str, ...], ...]
    observations: tuple[tuple[str, str], ...]
    outcome: str
    shared_shots: tuple[tuple[str, tuple[str, ...]], ...] = field(default=())


TALKS = (
    "GEN-G6",
    "GEN-G10",
    "GEN-S1",
    "GEN-S2",
    "GEN-S3",
    "GEN-S4",
    "GEN-S5",
    "GEN-S6",
    "GEN-S9",
    "GEN-S10",
    "GEN-S11",
    "GEN-S12",
)

BUKIT = Visit(
    auditor="aminah",
    facility="bukit-contoh",
    start=(-40, 25),
    shots=(
        Shot("IMG_0101", "permit-board", -540, -300, ("GEN-G1",)),
        Shot("IMG_0102", "permit-board", -536, -296, ("GEN-G1",)),
        Shot("IMG_0103", "hillside-ponds", 60, 140, ("GEN-G5", "ISL-E1/kolam-1")),
        Shot("IMG_0104", "lined-pond", 95, 120, ("GEN-G5", "ISL-E1/kolam-1")),
        Shot("IMG_0105", "lined-pond", 180, 60, ("ISL-E1/kolam-2",)),
        Shot("IMG_0106", "hillside-ponds", 205, 90, ("ISL-E1/kolam-2",)),
        Shot("IMG_0107", "injection-slope", 240, 260, ("ISL-E3", "GEN-E3")),
        Shot("IMG_0108", "injection-slope", 270, 240, ("ISL-E3", "GEN-E3")),
        Shot("IMG_0109", "drain", 380, -210, ("ISL-E6",)),
        Shot("IMG_0110", "drain", 1090, -160, ("ISL-E6",)),
        Shot("IMG_0111", "kiln", -210, 40, ("ISL-E10", "GEN-S6")),
        Shot("IMG_0112", "kiln", -205, 52, ("ISL-E10", "GEN-S6")),
        Shot("IMG_0113", "chemical-store", -300, -20, ("GEN-E5",)),
        Shot("IMG_0114", "chemical-store", -310, -12, ("GEN-E5",)),
        Shot("IMG_0115", "dormitory", -420, 120, ("GEN-S12",)),
        Shot("IMG_0116", "dormitory", None, None, ("GEN-S12",)),
    ),
    papers=(
        Paper(
            "permits.txt",
            "document",
            "Licences, ESIA approval, boreholes, community agreements.",
            ("GEN-G1", "GEN-G2", "GEN-G5", "GEN-S9", "GEN-S10", "ISL-E5"),
        ),
        Paper(
            "accounts.txt",
            "document",
            "Royalty receipts, gift register, surety and closure estimate, balances.",
            ("GEN-G3", "GEN-G4", "GEN-G7", "GEN-G9", "GEN-E1", "ISL-E4", "ISL-E8"),
        ),
        Paper(
            "monitoring.txt",
            "document",
            "Monitoring reports, drills, grievance log, piezometers, flushing record.",
            ("GEN-G6", "GEN-G8", "GEN-G10", "ISL-E3", "ISL-E7", "GEN-E5"),
        ),
        Paper(
            "people.txt",
            "document",
            "Age register, contracts, payslips, hours, clinic log. Names covered.",
            ("GEN-S1", "GEN-S2", "GEN-S3", "GEN-S4", "GEN-S7"),
        ),
        Paper("talks.txt", "interview", "Nine private talks on two shifts. No names.", TALKS),
        Paper(
            "samples.csv",
            "sample",
            "Duplicates, blank and custody for water, dust and precipitate.",
            ("GEN-E4", "ISL-E2", "ISL-E7", "ISL-E9", "GEN-S8"),
        ),
        Paper(
            "walk.gpx",
            "track",
            "The boundary, drains and ponds as walked.",
            ("GEN-E2", "GEN-E3", "ISL-E1/kolam-1", "ISL-E1/kolam-2", "ISL-E3", "ISL-E6"),
        ),
    ),
    answers=(
        ("GEN-G1", "FM"),
        ("GEN-G2", "FM"),
        ("GEN-G3", "SM", "--note", "Two receipts of March are missing."),
        ("GEN-G4", "FM"),
        ("GEN-G5", "FM"),
        ("GEN-G6", "SM"),
        ("GEN-G7", "FM"),
        ("GEN-G8", "FM"),
        ("GEN-G9", "balance=1.6 %"),
        ("GEN-G10", "PM", "--note", "The last drill left out the village downstream."),
        ("GEN-S1", "met"),
        ("GEN-S2", "FM"),
        ("GEN-S3", "FM"),
        ("GEN-S4", "hours=58 h", "days-in-a-row=6 d"),
        ("GEN-S5", "SM"),
        ("GEN-S6", "FM"),
        ("GEN-S7", "rate-difference=3 %"),
        ("GEN-S8", "dust=1.9±0.2 mg/m3", "noise=83±1 dBA"),
        ("GEN-S9", "FM"),
        (
            "GEN-S10",
            "NA",
            "--reason",
            "Nobody lived on the concession; map of 2019 and village head agree.",
            "--second",
            "somchai",
        ),
        ("GEN-S11", "SM"),
        ("GEN-S12", "FM"),
        ("GEN-E1", "CO2e=11.2 t/t"),
        ("GEN-E2", "met"),
        ("GEN-E3", "FM"),
        (
            "GEN-E4",
            "--instance",
            "upstream",
            "pH=6.9±0.1",
            "NH4-N=0.12±0.02 mg/L",
            "As=0.004±0.001 mg/L",
            "Pb=0.002±0.001 mg/L",
            "U=0.003±0.001 mg/L",
        ),
        (
            "GEN-E4",
            "--instance",
            "downstream",
            "pH=6.6±0.1",
            "NH4-N=0.71±0.06 mg/L",
            "As=0.0095±0.001 mg/L",
            "Pb=0.004±0.001 mg/L",
            "U=0.006±0.001 mg/L",
            "--note",
            "Arsenic within its uncertainty of the limit.",
        ),
        ("GEN-E5", "FM"),
        ("ISL-E1", "FM", "--instance", "kolam-1"),
        ("ISL-E1", "SM", "--instance", "kolam-2", "--note", "Leak detection not tested in August."),
        (
            "ISL-E2",
            "--instance",
            "well-1",
            "NH4-N=0.9±0.1 mg/L",
            "SO4=118±6 mg/L",
            "pH=5.9±0.1",
        ),
        (
            "ISL-E2",
            "--instance",
            "well-4",
            "NH4-N=1.1±0.1 mg/L",
            "SO4=164±8 mg/L",
            "pH=5.8±0.1",
        ),
        ("ISL-E3", "SM", "--note", "One piezometer of eleven gives no reading."),
        ("ISL-E4", "loss=7.8 %"),
        ("ISL-E5", "FM"),
        ("ISL-E6", "FM"),
        ("ISL-E7", "NH4-N=11±1 mg/L", "sampling-gap=84 d"),
        ("ISL-E8", "book-difference=2.2 %", "use=8.4 t/t"),
        ("ISL-E9", "Th=0.31±0.03 Bq/g", "U=0.12±0.02 Bq/g"),
        ("ISL-E10", "FM"),
    ),
    observations=(
        ("operating/moving-plant", "yes"),
        ("operating/fresh-reagent", "yes"),
        ("operating/warm-kiln", "yes"),
        ("operating/discharge", "no"),
        ("headcount/own-staff", "41"),
        ("stock/ammonium-sulfate", "36.5"),
    ),
    outcome="visited",
)

DOI = Visit(
    auditor="somchai",
    facility="doi-tua-yang",
    start=(10, -30),
    shots=(
        Shot("DSC_2001", "hillside-ponds", 40, 80, ("ISL-E1/pond-a", "GEN-E3")),
        Shot("DSC_2002", "lined-pond", 70, 95, ("ISL-E1/pond-a", "GEN-E3")),
        Shot("DSC_2003", "drain", 300, -180, ("ISL-E6",)),
        Shot("DSC_2004", "drain", 310, -150, ("ISL-E6",)),
        Shot("DSC_2005", "chemical-store", -250, 30, ("GEN-E5",)),
        Shot("DSC_2006", "chemical-store", -260, 42, ("GEN-E5",)),
        Shot("DSC_2007", "kiln", -180, 10, ("ISL-E10",)),
        Shot("DSC_2008", "dormitory", -300, 90, ("GEN-S12", "GEN-S6")),
        Shot("DSC_2009", "dormitory", -290, 95, ("GEN-S12", "GEN-S6")),
        Shot("DSC_2010", "outfall", 350, -260, ("GEN-E4",)),
        Shot("DSC_2011", "permit-board", -520, -280, ("GEN-G1", "GEN-G5")),
        Shot("DSC_2012", "permit-board", -515, -276, ("GEN-G1", "GEN-G5")),
    ),
    shared_shots=(("IMG_0112", ("ISL-E10",)),),
    papers=(
        Paper(
            "papers.txt",
            "document",
            "Care-and-maintenance notice, licence, surety, contracts.",
            (
                "GEN-G1",
                "GEN-G2",
                "GEN-G3",
                "GEN-G4",
                "GEN-G5",
                "GEN-G6",
                "GEN-G7",
                "GEN-G8",
                "GEN-G9",
                "GEN-G10",
                "GEN-S1",
                "GEN-S2",
                "GEN-S3",
                "GEN-S4",
                "GEN-S7",
                "GEN-S9",
                "GEN-S10",
                "GEN-E5",
                "ISL-E3",
                "ISL-E4",
                "ISL-E5",
                "ISL-E8",
            ),
        ),
        Paper("talks.txt", "interview", "Five private talks. No names.", TALKS),
        Paper(
            "samples.csv",
            "sample",
            "Stream and well samples with duplicate and blank.",
            ("GEN-E4", "ISL-E2", "GEN-S8"),
        ),
        Paper(
            "walk.gpx",
            "track",
            "Drains and ponds as walked.",
            ("GEN-E2", "GEN-E3", "ISL-E1/pond-a", "ISL-E3", "ISL-E6"),
        ),
    ),
    answers=(
        ("GEN-G1", "SM"),
        ("GEN-G2", "FM"),
        ("GEN-G3", "SM"),
        ("GEN-G4", "SM"),
        ("GEN-G5", "PM"),
        ("GEN-G6", "SM"),
        ("GEN-G7", "SM"),
        ("GEN-G8", "PM"),
        ("GEN-G9", "balance=1.9 %"),
        ("GEN-G10", "SM"),
        ("GEN-S1", "met"),
        ("GEN-S2", "FM"),
        ("GEN-S3", "SM"),
        ("GEN-S4", "hours=57 h", "days-in-a-row=6 d"),
        ("GEN-S5", "SM"),
        ("GEN-S6", "SM"),
        ("GEN-S7", "rate-difference=4 %"),
        ("GEN-S9", "SM"),
        ("GEN-S10", "FM"),
        ("GEN-S11", "PM"),
        ("GEN-S12", "SM"),
        ("GEN-E2", "met"),
        ("GEN-E3", "SM"),
        (
            "GEN-E4",
            "--instance",
            "upstream",
            "pH=7.0±0.1",
            "NH4-N=0.10±0.02 mg/L",
            "As=0.003±0.001 mg/L",
            "Pb=0.002±0.001 mg/L",
            "U=0.002±0.001 mg/L",
        ),
        (
            "GEN-E4",
            "--instance",
            "downstream",
            "pH=5.7±0.1",
            "NH4-N=3.4±0.2 mg/L",
            "As=0.012±0.001 mg/L",
            "Pb=0.004±0.001 mg/L",
            "U=0.004±0.001 mg/L",
        ),
        ("GEN-E5", "PM"),
        ("ISL-E1", "PM", "--instance", "pond-a", "--note", "Liner torn on the north side."),
        ("ISL-E2", "--instance", "w1", "NH4-N=2.0±0.1 mg/L", "SO4=201±9 mg/L", "pH=5.6±0.1"),
        ("ISL-E2", "--instance", "w2", "NH4-N=1.4±0.2 mg/L", "SO4=180±9 mg/L", "pH=5.7±0.1"),
        ("ISL-E3", "SM"),
        ("ISL-E4", "loss=9.1 %"),
        ("ISL-E5", "FM"),
        ("ISL-E6", "PM"),
        ("ISL-E8", "book-difference=4.4 %", "use=9.6 t/t"),
        ("ISL-E9", "refused", "--reason", "The guard did not open the precipitate store."),
        ("ISL-E10", "SM"),
    ),
    observations=(
        ("operating/moving-plant", "yes"),
        ("operating/fresh-reagent", "yes"),
        ("operating/warm-kiln", "yes"),
        ("operating/night-power", "unsure"),
        ("headcount/own-staff", "23"),
    ),
    outcome="visited",
)

VISITS = (BUKIT, DOI)
