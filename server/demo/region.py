"""The example region: six fictional facilities in five countries, declared in local datums.

No operator, facility or person here is real; every one is marked as an example.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

JURISDICTIONS = (
    ("asean", "ASEAN (example region)", None, "region"),
    ("my", "Malaysia", "asean", "country"),
    ("my-perak", "Perak", "my", "state"),
    ("my-pahang", "Pahang", "my", "state"),
    ("th", "Thailand", "asean", "country"),
    ("th-chiang-rai", "Chiang Rai", "th", "state"),
    ("vn", "Viet Nam", "asean", "country"),
    ("vn-lai-chau", "Lai Châu", "vn", "state"),
    ("id", "Indonesia", "asean", "country"),
    ("id-babel", "Bangka Belitung", "id", "state"),
    ("la", "Lao PDR", "asean", "country"),
    ("la-xiangkhouang", "Xiangkhouang", "la", "state"),
)

PEOPLE = (
    ("rosa", "Rosa Contoh", "officer", "asean"),
    ("aminah", "Aminah binti Contoh", "auditor", "asean"),
    ("somchai", "Somchai Tuayang", "auditor", "asean"),
    ("reader", "Reading Room", "reader", "asean"),
    ("admin", "Adi Contoh", "administrator", "asean"),
)


@dataclass(frozen=True, slots=True)
class Site:
    """A fictional facility; `centre` and `ring` are in its own system, x before y.

    `ring` lists offsets from the centre in the system's units (metres or degrees).
    """

    id: str
    name: str
    country: str
    jurisdiction: str
    processes: tuple[str, ...]
    state: str
    since: str
    crs: str
    axes: str
    centre: tuple[float, float]
    ring: tuple[tuple[float, float], ...]
    digits: int = 1

    def at(self, east: float, north: float) -> tuple[str, str]:
        """Coordinates as given, in the declared axis order, at an offset from the centre."""
        x = f"{self.centre[0] + east:.{self.digits}f}"
        y = f"{self.centre[1] + north:.{self.digits}f}"
        return (x, y) if self.axes == "xy" else (y, x)


_HILL = ((-640, -420), (-180, -610), (390, -520), (660, -60), (420, 510), (-160, 640), (-600, 300))
_PLANT = ((-320, -240), (340, -260), (360, 230), (-300, 250))


SITES = (
    Site(
        "bukit-contoh",
        "Bukit Contoh leaching mine",
        "MY",
        "my-perak",
        ("in-situ-leach",),
        "active",
        "2024-03-01",
        "EPSG:3375",
        "xy",
        (368_000.0, 553_000.0),
        _HILL,
    ),
    Site(
        "doi-tua-yang",
        "Doi Tua Yang leaching mine",
        "TH",
        "th-chiang-rai",
        ("in-situ-leach",),
        "care",
        "2025-11-01",
        "EPSG:24047",
        "xy",
        (560_000.0, 2_180_000.0),
        _HILL,
    ),
    Site(
        "kuala-contoh",
        "Kuala Contoh separation plant",
        "MY",
        "my-pahang",
        ("separation",),
        "active",
        "2022-07-15",
        "EPSG:3375",
        "xy",
        (590_000.0, 436_000.0),
        _PLANT,
    ),
    Site(
        "nui-vi-du",
        "Núi Ví Dụ leaching mine and separation",
        "VN",
        "vn-lai-chau",
        ("in-situ-leach", "separation"),
        "active",
        "2025-02-10",
        "EPSG:3405",
        "xy",
        (335_000.0, 2_478_000.0),
        _HILL,
    ),
    Site(
        "pulau-misal",
        "Pulau Misal tailings works",
        "ID",
        "id-babel",
        ("placer-mine",),
        "active",
        "2023-09-01",
        "EPSG:23878",
        "xy",
        (610_000.0, 9_760_000.0),
        _PLANT,
    ),
    Site(
        "phou-tuayang",
        "Phou Tuayang exploration",
        "LA",
        "la-xiangkhouang",
        ("in-situ-leach",),
        "exploring",
        "2026-01-20",
        "EPSG:4678",
        "yx",
        (103.18, 19.45),
        tuple((e / 105_000, n / 110_600) for e, n in _HILL),
        6,
    ),
)


def facility(site: Site) -> dict[str, Any]:
    """The facility as staff would enter it."""
    return {
        "id": site.id,
        "name": site.name,
        "country": site.country,
        "jurisdiction": site.jurisdiction,
        "checklist": "rare-earth-site",
        "limits": "example",
        "example": True,
    }


def declaration(site: Site) -> dict[str, Any]:
    """What the fictional operator has filed."""
    ring = [list(site.at(e, n)) for e, n in site.ring]
    return {
        "format": "tapak-declaration/1",
        "example": True,
        "facility": site.id,
        "operator": f"{site.name.split(' ')[0]} Example Operator (fictional)",
        "speaks_of": "2026-01-01",
        "filed": "2026-01-31",
        "status": {"state": site.state, "since": site.since},
        "processes": list(site.processes),
        "location": {
            "crs": site.crs,
            "axes": site.axes,
            "source": "Fictional concession map, sheet 1",
            "point": list(site.at(0, 0)),
        },
        "boundary": {
            "crs": site.crs,
            "axes": site.axes,
            "source": "Fictional concession map, sheet 1",
            "rings": [[*ring, ring[0]]],
        },
        "licences": [
            {
                "number": f"EX-{site.country}-0001",
                "issuer": "Fictional licensing office",
                "valid_from": "2024-01-01",
                "valid_to": "2028-12-31",
            }
        ],
    }
