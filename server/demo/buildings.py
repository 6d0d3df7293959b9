"""The example region's built subjects: kiln, chemical store, dormitory."""

from __future__ import annotations

from server.demo.brush import CONCRETE, HEIGHT, STEEL, Brush, Colour, Point, mix

_RUST = ((92, 58, 40), (170, 112, 74))
_WALL = ((176, 168, 148), (224, 218, 200))


def kiln(b: Brush) -> None:
    """A rotary kiln on its piers, firing hood at the low end, chimney at the high one."""
    b.sky(470)
    b.hills(430, 3)
    b.forest(b.ridge(470, 12, 1.2), 40, 20, rows=4)
    b.earth(
        [(-10, 520), (1300, 512), (1300, HEIGHT), (-10, HEIGHT)], ((112, 94, 76), (172, 150, 124))
    )
    lift = b.rng.uniform(-12, 20)
    a, c = (210.0, 318.0 - lift), (1010.0, 430.0 - lift * 0.3)
    _chimney(b)
    b.shadow([(280, 600), (1120, 596), (1220, 640), (330, 650)], 0.5, 12)
    for t in (0.22, 0.52, 0.82):
        x, y = _along(a, c, t)
        b.quad(
            (x - 44, y + 50),
            (x + 44, y + 50),
            (x + 58, 612),
            (x - 58, 612),
            colours=CONCRETE,
            bottom=0.7,
        )
        b.quad(
            (x - 62, 606), (x + 62, 606), (x + 66, 628), (x - 66, 628), colours=CONCRETE, bottom=0.8
        )
    _shell(b, a, c)
    _heap(b, b.rng.uniform(330, 520), 752, 250, 92, ((150, 130, 108), (214, 196, 170)))
    _heap(b, b.rng.uniform(820, 980), 800, 300, 110, ((120, 88, 66), (190, 150, 118)))


def _chimney(b: Brush) -> None:
    b.tube((150, 560), (150, 86), 30, STEEL)
    for band in (120, 210, 300):
        b.line([(119, band), (181, band)], (84, 88, 92), 5)
    for i in range(16):
        puff = 18 + i * 6
        smoke = b.oval(
            158 + i * 17 + b.rng.uniform(-8, 8),
            76 - i * 4 + b.rng.uniform(-6, 6),
            puff,
            puff * 0.55,
            soft=9,
        )
        b.tint(smoke, (226, 224, 220), 0.42 - 0.02 * i)
    b.box(96, 250, 286, 590, ((104, 100, 92), (160, 154, 144)), bottom=0.8)
    b.box(86, 236, 296, 256, STEEL)


def _shell(b: Brush, a: Point, c: Point) -> None:
    """The turning drum from a down to c, its rings, its firing hood and its rail."""
    b.tube(a, c, 60, b.rng.choice((_RUST, STEEL, ((106, 84, 70), (190, 164, 140)))))
    for t in (0.22, 0.52, 0.82):
        b.tube(
            _along(a, c, t - 0.018), _along(a, c, t + 0.018), 72, ((70, 72, 76), (168, 172, 174))
        )
    b.tube(_along(a, c, 0.36), _along(a, c, 0.385), 80, ((60, 58, 56), (140, 134, 126)))
    for t in (0.1, 0.3, 0.45, 0.62, 0.72, 0.92):
        x, y = _along(a, c, t)
        b.line([(x + 9, y - 59), (x - 8, y + 59)], (70, 52, 44), 1.6)
    hood: list[Point] = [(980, 352), (1130, 372), (1150, 610), (980, 610)]
    b.quad(*hood, colours=((104, 92, 82), (164, 148, 132)), bottom=0.8)
    b.paint(b.oval(1058, 470, 26, 30), ((214, 96, 24), (255, 214, 120)))
    b.tint(b.oval(1058, 470, 74, 80, soft=22), (255, 170, 70), 0.45)
    b.tube((1240, 640), (1140, 486), 9, ((150, 120, 40), (226, 194, 90)))
    for post in range(330, 960, 40):
        top = a[1] + (c[1] - a[1]) * (post - a[0]) / (c[0] - a[0]) - 66
        b.line([(post, top), (post, top - 26)], (196, 164, 60), 2)
    rail = [(x, a[1] + (c[1] - a[1]) * (x - a[0]) / (c[0] - a[0]) - 92) for x in (330, 930)]
    b.line(rail, (206, 174, 66), 2.4)


def _along(a: Point, c: Point, t: float) -> Point:
    return (a[0] + (c[0] - a[0]) * t, a[1] + (c[1] - a[1]) * t)


def _heap(
    b: Brush, x: float, y: float, wide: float, tall: float, colours: tuple[Colour, Colour]
) -> None:
    b.shadow(
        [(x - wide, y), (x + wide * 1.25, y), (x + wide * 1.1, y + 26), (x - wide, y + 20)], 0.4, 8
    )
    outline = [
        (x + wide * i / 10, y - tall * max(0.0, 1 - abs(i / 10) ** 1.3) + b.rng.uniform(-3, 3))
        for i in range(-10, 11)
    ]
    b.paint(
        b.shape([*outline, (x + wide, y + 10), (x - wide, y + 10)], soft=1.5),
        colours,
        light=(1.0, 0.72),
    )
    b.tint(
        b.shape([outline[10], outline[-1], (x + wide, y + 10), (x + wide * 0.1, y + 10)], soft=12),
        (40, 30, 26),
        0.35,
    )


def chemical_store(b: Brush) -> None:
    """Sacks on pallets and blue drums under an open roof, with the signs of their dangers."""
    b.sky(330)
    b.hills(340, 3)
    b.forest(b.ridge(380, 14, 1.3), 70, 26, rows=4)
    b.box(-10, 520, 1300, HEIGHT, ((132, 126, 116), (186, 180, 168)), bottom=0.9)
    b.quad(
        (110, 190),
        (1170, 190),
        (1170, 560),
        (110, 560),
        colours=((92, 96, 92), (140, 144, 138)),
        top=0.62,
    )
    for rib in range(110, 1171, 22):
        b.line([(rib, 196), (rib, 558)], (78, 82, 80), 1.4)
    b.shadow([(110, 190), (1170, 190), (1170, 300), (110, 300)], 0.55, 20)
    first = b.rng.uniform(180, 260)
    for k, x in enumerate((first, first + 225, first + 450)):
        _sacks(
            b,
            x,
            640 + 8 * k,
            b.rng.randint(4, 6),
            b.rng.choice((((196, 194, 184), (244, 242, 234)), ((170, 176, 160), (226, 230, 212)))),
        )
    for row, y in enumerate((612, 668)):
        for i in range(4 - row):
            _drum(
                b,
                first + 640 + i * 78 + row * 36,
                y + 26,
                b.rng.choice((((18, 54, 110), (86, 140, 206)), ((16, 60, 104), (84, 150, 196)))),
            )
    _open_roof(b)
    for i, words in enumerate(("ACID", "NO FIRE", "TOXIC")):
        _diamond(b, 270 + i * 120, 262, words)
    b.shadow([(-10, 720), (1300, 720), (1300, 800), (-10, 800)], 0.16, 30)
    for y in (760, 800):
        b.line([(-10, y), (1300, y - 8)], (206, 176, 60), 5)


def _open_roof(b: Brush) -> None:
    for post in (96, 640, 1184):
        b.tube((post, 690), (post, 150), 12, STEEL)
        b.quad(
            (post - 24, 682), (post + 24, 682), (post + 28, 704), (post - 28, 704), colours=CONCRETE
        )
    roof: list[Point] = [(20, 176), (90, 96), (1190, 96), (1262, 176)]
    b.quad(
        *roof,
        colours=b.rng.choice(
            (((116, 62, 46), (176, 112, 84)), STEEL, ((52, 88, 80), (120, 156, 142)))
        ),
    )
    for i in range(50):
        t = i / 49
        b.line([(90 + 1100 * t, 98), (20 + 1242 * t, 175)], (70, 64, 60), 1.5)
    b.box(16, 174, 1264, 190, ((70, 72, 74), (120, 122, 124)))


def _sacks(b: Brush, x: float, y: float, layers: int, colours: tuple[Colour, Colour]) -> None:
    b.shadow([(x - 100, y + 16), (x + 112, y + 16), (x + 130, y + 34), (x - 90, y + 34)], 0.55)
    for k in range(3):
        b.box(x - 98 + k * 74, y - 4, x - 52 + k * 74, y + 20, ((96, 72, 46), (150, 116, 78)))
    b.box(x - 100, y - 10, x + 98, y, ((120, 92, 60), (176, 142, 98)))
    for layer in range(layers):
        top = y - 12 - (layer + 1) * 32
        for k in range(3 - (layer % 2)):
            left = x - 98 + k * 66 + (layer % 2) * 32 + b.rng.uniform(-3, 3)
            sack: list[Point] = [
                (left + 6, top),
                (left + 58, top),
                (left + 65, top + 9),
                (left + 65, top + 24),
                (left + 58, top + 33),
                (left + 6, top + 33),
                (left - 1, top + 24),
                (left - 1, top + 9),
            ]
            b.paint(b.shape(sack), colours, light=(1.0, 0.7))
            b.line([(left + 16, top + 15), (left + 48, top + 15)], (70, 112, 150), 5)
            b.line([(left + 20, top + 23), (left + 40, top + 23)], (120, 120, 112), 2)


def _drum(b: Brush, x: float, y: float, colours: tuple[Colour, Colour]) -> None:
    b.shadow([(x - 30, y + 2), (x + 46, y + 2), (x + 60, y + 14), (x - 20, y + 14)], 0.5, 4)
    b.tube((x, y), (x, y - 96), 34, colours)
    b.dot(x, y, 33, 8, mix(colours[0], (8, 16, 30), 0.4))
    for up in (32, 64):
        b.line([(x - 34, y - up), (x + 34, y - up)], mix(colours[0], colours[1], 0.2), 3)
    b.dot(x, y - 97, 34, 9, mix(colours[0], colours[1], 0.75))
    b.dot(x, y - 97, 29, 7, mix(colours[0], colours[1], 0.5))
    b.dot(x + 12, y - 97, 5, 2, (230, 230, 224))


def _diamond(b: Brush, x: float, y: float, words: str) -> None:
    b.quad(
        (x, y - 46), (x + 46, y), (x, y + 46), (x - 46, y), colours=((196, 40, 36), (220, 66, 58))
    )
    b.quad(
        (x, y - 38),
        (x + 38, y),
        (x, y + 38),
        (x - 38, y),
        colours=((236, 234, 226), (252, 250, 244)),
    )
    b.text(x, y - 7, words, 14, (40, 36, 34))


def dormitory(b: Brush) -> None:
    """A two-storey house of workers' rooms: gallery, doors, washing on a line."""
    b.sky(360)
    b.hills(360, 3)
    b.forest(b.ridge(390, 16, 1.2), 60, 30, rows=4)
    b.earth(
        [(-10, 600), (1300, 590), (1300, HEIGHT), (-10, HEIGHT)], ((136, 100, 74), (200, 160, 122))
    )
    wall = b.rng.choice(
        (_WALL, ((150, 172, 176), (204, 222, 222)), ((196, 168, 122), (238, 214, 170)))
    )
    left = b.rng.uniform(110, 170)
    right = left + 980
    b.shadow([(left, 620), (right + 10, 612), (right + 90, 664), (left + 50, 668)], 0.5, 10)
    b.box(left, 236, right, 626, wall, bottom=0.9)
    door = b.rng.choice(((58, 96, 116), (110, 66, 44), (62, 100, 74)))
    for floor, y in enumerate((268, 462)):
        for i in range(7):
            number = str((floor == 0) * 100 + 101 + i)
            _room(b, left + 28 + i * (right - left - 56) / 7, y, door, number)
    b.shadow([(left, 236), (right, 236), (right, 300), (left, 300)], 0.45, 10)
    b.shadow([(left, 430), (right, 430), (right, 486), (left, 486)], 0.4, 8)
    _gallery(b, left, right)
    roof = b.rng.choice(
        (
            ((110, 56, 42), (178, 104, 80)),
            ((62, 88, 112), (132, 158, 178)),
            ((112, 116, 118), (178, 182, 182)),
        )
    )
    b.quad((left - 46, 240), (left + 34, 150), (right - 34, 150), (right + 46, 240), colours=roof)
    for i in range(60):
        t = i / 59
        b.line(
            [
                (left + 34 + (right - left - 68) * t, 152),
                (left - 46 + (right - left + 92) * t, 238),
            ],
            mix(roof[0], (20, 20, 20), 0.2),
            1.4,
        )
    _washing(b, b.rng.uniform(90, 260), 668)
    b.grass([(-10, 770), (500, 806), (1300, 780), (1300, 870), (-10, 870)], dry=0.4)


def _room(b: Brush, x: float, y: float, door: Colour, number: str) -> None:
    """A door with its number and a window, from the upper left corner x, y."""
    b.box(x + 12, y, x + 56, y + 128, (mix(door, (16, 16, 16), 0.35), door))
    lit = b.rng.random() < 0.3
    glass = ((206, 170, 96), (250, 226, 160)) if lit else ((44, 56, 64), (104, 124, 132))
    b.box(x + 72, y + 18, x + 120, y + 76, glass)
    b.line(
        [
            (x + 72, y + 18),
            (x + 120, y + 18),
            (x + 120, y + 76),
            (x + 72, y + 76),
            (x + 72, y + 18),
        ],
        (236, 232, 220),
        3,
    )
    b.line([(x + 96, y + 18), (x + 96, y + 76)], (236, 232, 220), 2)
    b.text(x + 34, y + 10, number, 11, (240, 238, 230))


def _gallery(b: Brush, left: float, right: float) -> None:
    b.box(left - 18, 412, right + 18, 434, CONCRETE)
    for i in range(62):
        x = left - 14 + i * (right - left + 28) / 61
        b.line([(x, 412), (x, 352)], (86, 92, 96), 1.8)
    b.line([(left - 18, 352), (right + 18, 352)], (120, 126, 130), 5)
    for i in range(8):
        x = left - 10 + i * (right - left + 20) / 7
        b.tube((x, 628), (x, 230), 7, ((150, 146, 136), (226, 222, 212)))


def _washing(b: Brush, x: float, y: float) -> None:
    for post in (x, x + 620):
        b.tube((post, y + 90), (post, y - 60), 4.5, ((84, 66, 48), (150, 124, 94)))
    b.line(
        [(x + 620 * i / 20, y - 54 + 64 * (i / 20) * (1 - i / 20)) for i in range(21)],
        (230, 228, 220),
        1.4,
    )
    at = 30.0
    while at < 560:
        wide, tall = b.rng.uniform(34, 60), b.rng.uniform(46, 84)
        sag = y - 54 + 64 * (at / 620) * (1 - at / 620)
        cloth = b.rng.choice(
            ((190, 70, 60), (70, 110, 170), (232, 228, 214), (220, 180, 80), (90, 140, 110))
        )
        b.paint(
            b.shape(
                [
                    (x + at, sag),
                    (x + at + wide, sag + 2),
                    (x + at + wide - 3, sag + tall),
                    (x + at + 4, sag + tall - 4),
                ]
            ),
            (mix(cloth, (20, 20, 24), 0.3), cloth),
            light=(1.0, 0.85),
        )
        at += wide + b.rng.uniform(8, 40)
