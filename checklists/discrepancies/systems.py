"""Coordinate systems that are or were official in the ten ASEAN states, and their standard time.

Codes and names are those of the EPSG registry (version 11.022 and later); a test compares each
with the registry. Besides a country's own datums, WGS 84 in degrees and in the UTM zones that
touch the country is listed everywhere, because that is what receivers show.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class System:
    """One coordinate system: its code and the registry's name."""

    crs: str
    name: str

    @property
    def datum(self) -> str:
        """The name of the datum, as the registry begins the system's name with it."""
        return self.name.split(" / ", maxsplit=1)[0]


@dataclass(frozen=True, slots=True)
class Country:
    """Minutes ahead of UTC (the westernmost zone where there are several), and the systems: the
    present datum first, then older ones, WGS 84 last.
    """

    name: str
    utc_minutes: int
    systems: tuple[System, ...]

    def age(self, system: System) -> int:
        """0 for a system on the present datum, more for each older one; WGS 84 comes last."""
        return tuple(dict.fromkeys(s.datum for s in self.systems)).index(system.datum)


def _systems(*rows: tuple[int, str]) -> tuple[System, ...]:
    return tuple(System(f"EPSG:{code}", name) for code, name in rows)


def _wgs84(*zones: str) -> tuple[System, ...]:
    rows = [
        (32600 + int(z[:-1]) if z[-1] == "N" else 32700 + int(z[:-1]), f"WGS 84 / UTM zone {z}")
        for z in zones
    ]
    return _systems((4326, "WGS 84"), *rows)


_TM3 = (
    (9205, "103-00"),
    (9206, "104-00"),
    (9207, "104-30"),
    (9208, "104-45"),
    (9209, "105-30"),
    (9210, "105-45"),
    (9211, "106-00"),
    (9212, "106-15"),
    (9213, "106-30"),
    (9214, "107-00"),
    (9215, "107-15"),
    (9216, "107-30"),
    (5899, "107-45"),
    (9217, "108-15"),
    (9218, "108-30"),
)
_NORTH = (46, 47, 48, 49, 50, 51, 52)
_SOUTH = (47, 48, 49, 50, 51, 52, 53, 54)
_DGN95_TM3 = tuple(f"{z}.{half}" for z in range(46, 55) for half in (1, 2))[1:-1]

OFFICIAL: dict[str, Country] = {
    "BN": Country(
        "Brunei Darussalam",
        480,
        _systems(
            (5246, "GDBD2009"),
            (5247, "GDBD2009 / Brunei BRSO"),
            (4298, "Timbalai 1948"),
            (29873, "Timbalai 1948 / RSO Borneo (m)"),
            (29850, "Timbalai 1948 / UTM zone 50N"),
        )
        + _wgs84("49N", "50N"),
    ),
    "ID": Country(
        "Indonesia",
        420,
        _systems(
            (9470, "SRGI2013"),
            *((9476 + n, f"SRGI2013 / UTM zone {z}N") for n, z in enumerate(_NORTH)),
            *((9487 + n, f"SRGI2013 / UTM zone {z}S") for n, z in enumerate(_SOUTH)),
            (4755, "DGN95"),
            *((23866 + n, f"DGN95 / UTM zone {z}N") for n, z in enumerate(_NORTH)),
            *((23877 + n, f"DGN95 / UTM zone {z}S") for n, z in enumerate(_SOUTH)),
            *((23830 + n, f"DGN95 / Indonesia TM-3 zone {z}") for n, z in enumerate(_DGN95_TM3)),
            (4238, "ID74"),
            *((23846 + n, f"ID74 / UTM zone {z}N") for n, z in enumerate(_NORTH)),
            *((23887 + n, f"ID74 / UTM zone {z}S") for n, z in enumerate(_SOUTH)),
        )
        + _wgs84(*(f"{z}N" for z in _NORTH), *(f"{z}S" for z in (46, *_SOUTH))),
    ),
    "KH": Country(
        "Cambodia",
        420,
        _systems((4131, "Indian 1960"), (3148, "Indian 1960 / UTM zone 48N")) + _wgs84("48N"),
    ),
    "LA": Country(
        "Lao PDR",
        420,
        _systems((4678, "Lao 1997"), (4677, "Lao 1993"), (4676, "Vientiane 1982"))
        + _wgs84("47N", "48N"),
    ),
    "MM": Country(
        "Myanmar",
        390,
        _systems(
            (4239, "Indian 1954"),
            (23946, "Indian 1954 / UTM zone 46N"),
            (23947, "Indian 1954 / UTM zone 47N"),
        )
        + _wgs84("46N", "47N"),
    ),
    "MY": Country(
        "Malaysia",
        480,
        _systems(
            (4742, "GDM2000"),
            (3375, "GDM2000 / Peninsula RSO"),
            (3376, "GDM2000 / East Malaysia BRSO"),
            (3377, "GDM2000 / Johor Grid"),
            (3378, "GDM2000 / Sembilan and Melaka Grid"),
            (3379, "GDM2000 / Pahang Grid"),
            (3380, "GDM2000 / Selangor Grid"),
            (3381, "GDM2000 / Terengganu Grid"),
            (3382, "GDM2000 / Pinang Grid"),
            (3383, "GDM2000 / Kedah and Perlis Grid"),
            (3384, "GDM2000 / Perak Grid"),
            (3385, "GDM2000 / Kelantan Grid"),
            (4245, "Kertau 1968"),
            (3168, "Kertau (RSO) / RSO Malaya (m)"),
            (24547, "Kertau 1968 / UTM zone 47N"),
            (24548, "Kertau 1968 / UTM zone 48N"),
            (4298, "Timbalai 1948"),
            (29873, "Timbalai 1948 / RSO Borneo (m)"),
            (29849, "Timbalai 1948 / UTM zone 49N"),
            (29850, "Timbalai 1948 / UTM zone 50N"),
        )
        + _wgs84("47N", "48N", "49N", "50N"),
    ),
    "PH": Country(
        "Philippines",
        480,
        _systems(
            (4683, "PRS92"),
            *((3120 + n, f"PRS92 / Philippines zone {n}") for n in range(1, 6)),
            (4253, "Luzon 1911"),
            *(
                (25390 + n, f"Luzon 1911 / Philippines zone {roman}")
                for n, roman in enumerate(("I", "II", "III", "IV", "V"), 1)
            ),
        )
        + _wgs84("50N", "51N", "52N"),
    ),
    "SG": Country(
        "Singapore",
        480,
        _systems(
            (4757, "SVY21"),
            (3414, "SVY21 / Singapore TM"),
            (4245, "Kertau 1968"),
            (24500, "Kertau 1968 / Singapore Grid"),
        )
        + _wgs84("48N"),
    ),
    "TH": Country(
        "Thailand",
        420,
        _systems(
            (4240, "Indian 1975"),
            (24047, "Indian 1975 / UTM zone 47N"),
            (24048, "Indian 1975 / UTM zone 48N"),
            (4239, "Indian 1954"),
            (23947, "Indian 1954 / UTM zone 47N"),
        )
        + _wgs84("47N", "48N"),
    ),
    "VN": Country(
        "Viet Nam",
        420,
        _systems(
            (4756, "VN-2000"),
            (3405, "VN-2000 / UTM zone 48N"),
            (3406, "VN-2000 / UTM zone 49N"),
            (5896, "VN-2000 / TM-3 zone 481"),
            (5897, "VN-2000 / TM-3 zone 482"),
            (5898, "VN-2000 / TM-3 zone 491"),
            *((code, f"VN-2000 / TM-3 {meridian}") for code, meridian in _TM3),
            (4131, "Indian 1960"),
            (3148, "Indian 1960 / UTM zone 48N"),
            (3149, "Indian 1960 / UTM zone 49N"),
        )
        + _wgs84("48N", "49N"),
    ),
}
