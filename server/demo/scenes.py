"""The example region's subjects out of doors: ponds, slopes, water, the permit's board."""

from __future__ import annotations

import math

from server.demo.brush import (
    CONCRETE,
    HEIGHT,
    MURKY,
    WATER,
    WIDTH,
    Brush,
    mix,
)

STEEL_GREY = ((86, 90, 94), (206, 208, 208))


def hillside_ponds(b: Brush) -> None:
    """Leaching ponds stepped down a cleared slope among wooded hills."""
    b.sky(300)
    b.hills(300, 4)
    near = b.ridge(352, 34, 1.4)
    b.forest(near, 60, 17)
    slope = [
        (-10, 430),
        (240, 388),
        (560, 366),
        (900, 392),
        (1300, 436),
        (1300, HEIGHT),
        (-10, HEIGHT),
    ]
    b.earth(slope)
    for step in range(5):
        y = 430 + step * step * 13 + step * 28
        edge = [
            (x, y + 10 * math.sin(x / 170 + step) + b.rng.uniform(-2, 2))
            for x in range(-10, WIDTH + 20, 30)
        ]
        lower = [(x, e + 14 + step * 5) for x, e in reversed(edge)]
        b.tint(b.shape([*edge, *lower], soft=4), (66, 34, 24), 0.4)
    _shed(b, b.rng.uniform(820, 1080), 384, 0.7)
    for row, (y, count, r) in enumerate(((452, 4, 62), (530, 3, 96), (672, 3, 150))):
        start = b.rng.uniform(60, 190)
        for i in range(count):
            x = start + i * (WIDTH - 120) / (count - 0.25) + b.rng.uniform(-24, 24)
            _round_pond(b, x, y + b.rng.uniform(-10, 12), r * b.rng.uniform(0.85, 1.1), row)
    hose = [
        (x, 486 + 0.00016 * (x - 640) ** 2 + 16 * math.sin(x / 90))
        for x in range(-10, WIDTH + 20, 20)
    ]
    b.line([(x, y + 3) for x, y in hose], (58, 34, 26), 5)
    b.line(hose, (54, 92, 140), 3.6)
    b.grass([(-10, 800), (300, 822), (760, 836), (1300, 806), (1300, 870), (-10, 870)], dry=0.55)


def _round_pond(b: Brush, x: float, y: float, r: float, row: int) -> None:
    flat = 0.30 + 0.03 * row
    b.tint(b.oval(x, y + r * 0.1, r * 1.22, r * flat * 1.32, soft=5), (70, 38, 26), 0.6)
    b.paint(b.oval(x, y, r * 1.13, r * flat * 1.18), ((168, 126, 92), (226, 196, 158)))
    b.paint(b.oval(x, y + r * 0.015, r * 1.02, r * flat * 1.03), ((38, 40, 42), (70, 72, 72)))
    tones = (
        (WATER[0], WATER[1]),
        ((62, 122, 118), (168, 206, 190)),
        ((84, 116, 96), (186, 198, 160)),
    )
    b.water(b.oval(x, y + r * 0.045, r * 0.97, r * flat * 0.95), b.rng.choice(tones), 0.55)


def _shed(b: Brush, x: float, y: float, s: float) -> None:
    b.shadow(
        [
            (x - 60 * s, y + 36 * s),
            (x + 84 * s, y + 36 * s),
            (x + 110 * s, y + 48 * s),
            (x - 40 * s, y + 48 * s),
        ]
    )
    b.box(x - 56 * s, y, x + 56 * s, y + 40 * s, ((112, 94, 76), (160, 140, 112)))
    b.box(x - 20 * s, y + 8 * s, x + 4 * s, y + 40 * s, ((40, 34, 32), (60, 52, 48)))
    b.quad(
        (x - 68 * s, y + 4 * s),
        (x - 44 * s, y - 24 * s),
        (x + 70 * s, y - 24 * s),
        (x + 66 * s, y + 4 * s),
        colours=((58, 98, 138), (112, 150, 182)),
    )


def lined_pond(b: Brush) -> None:
    """One large pond with a black liner over its banks, a fence and hills behind it."""
    b.sky(280)
    b.hills(286, 4)
    b.forest(b.ridge(322, 18, 1.6), 40, 15, rows=4)
    b.earth([(-10, 372), (1300, 360), (1300, HEIGHT), (-10, HEIGHT)])
    far, near = b.rng.uniform(425, 450), b.rng.uniform(720, 750)
    outer = [(250, far - 40), (1050, far - 40), (1420, near + 60), (-150, near + 60)]
    inner = [(318, far), (986, far), (1215, near - 40), (70, near - 40)]
    b.paint(
        b.shape([(x + (-14 if x < 640 else 14), y + (12 if y > 600 else -8)) for x, y in outer]),
        ((150, 104, 74), (206, 160, 120)),
    )
    liner = b.shape(outer)
    b.paint(liner, ((30, 32, 36), (64, 68, 74)), light=(1.0, 0.85))
    for i in range(46):
        t = i / 45
        top, foot = (250 + 800 * t, far - 40), (318 + 668 * t, far)
        b.line([top, foot], mix((34, 36, 40), (122, 128, 134), b.rng.random() ** 2), 1.2)
        top, foot = (70 + 1145 * t, near - 40), (-150 + 1570 * t, near + 60)
        wobble = b.rng.uniform(-8, 8)
        b.line(
            [top, ((top[0] + foot[0]) / 2 + wobble, near + 8), foot],
            mix((32, 34, 38), (134, 140, 146), b.rng.random() ** 2),
            1.8,
        )
    b.water(b.shape(inner), b.rng.choice((WATER, ((52, 108, 96), (158, 198, 170)))), 0.6)
    b.line([*inner, inner[0]], (160, 150, 128), 2.5)
    b.tint(
        b.shape([(70, near - 40), (1215, near - 40), (1190, near - 66), (98, near - 66)], soft=8),
        (16, 30, 34),
        0.35,
    )
    for x in range(-40, WIDTH + 80, 92):
        b.line([(x, 408), (x, 352)], (104, 100, 92), 4)
        b.line([(x - 1.2, 408), (x - 1.2, 352)], (190, 186, 174), 1.2)
    for y in (360, 376, 394):
        b.line([(-10, y), (WIDTH + 10, y - 1)], (132, 130, 122), 1.1)
    b.tube((900, near - 96), (1150, near + 70), 11, ((40, 60, 92), (126, 158, 196)))
    b.grass([(-10, near + 66), (1300, near + 58), (1300, 870), (-10, 870)], dry=0.5)


def injection_slope(b: Brush) -> None:
    """A cleared slope with a grid of injection wells and the hoses that feed them."""
    b.sky(230)
    b.hills(250, 3)
    crest = [
        (x, 300 + 60 * math.cos((x - 700) / 420) * -1 + b.rng.uniform(-2, 2))
        for x in range(-10, WIDTH + 20, 6)
    ]
    b.forest([(x, y - 14) for x, y in crest], 30, 18, rows=3)
    b.earth([*crest, (1300, HEIGHT), (-10, HEIGHT)])
    for _ in range(26):
        x, y = b.rng.uniform(0, WIDTH), b.rng.uniform(360, 800)
        gully = [(x + b.rng.uniform(-5, 5) + i * 2, y + i * 16) for i in range(round(3 + y / 160))]
        b.line(gully, (92, 48, 32), 1 + y / 420)
    lean = b.rng.uniform(-0.25, 0.25)
    for row in range(9):
        t = row / 8
        y0 = 330 + 470 * t**1.35
        gap = 54 + 96 * t
        tall, wide = 9 + 30 * t, 1.6 + 5.2 * t
        shift = b.rng.uniform(0, gap) + lean * y0
        hose = [(x, y0 + 10 * math.sin(x / 210 + row) + 5) for x in range(-20, WIDTH + 40, 24)]
        b.line([(x, y + 2 + 2 * t) for x, y in hose], (70, 38, 26), 2 + 3 * t)
        b.line(hose, (38, 38, 42) if row % 2 else (46, 84, 134), 1.4 + 2.6 * t)
        x = -gap + shift % gap
        while x < WIDTH + gap:
            y = y0 + 10 * math.sin(x / 210 + row) + b.rng.uniform(-3, 3)
            b.dot(x + tall * 0.45, y + 1, tall * 0.6, 1.2 + 2 * t, (96, 52, 36))
            b.dot(x, y + 1, wide * 2.4, wide, (146, 90, 62))
            b.tube((x, y), (x + lean * 4, y - tall), wide, ((138, 140, 138), (244, 244, 238)))
            b.dot(x + lean * 4, y - tall, wide, wide * 0.45, (60, 62, 64))
            x += gap * b.rng.uniform(0.86, 1.14)
    for _ in range(9):
        x, y = b.rng.uniform(40, 1240), b.rng.uniform(330, 420)
        b.tube((x, y), (x + 1, y - 9), 5, ((62, 46, 36), (134, 104, 78)))
        b.dot(x + 1, y - 9, 5, 2, (188, 152, 112))
    b.grass([(-10, 812), (420, 836), (1300, 822), (1300, 870), (-10, 870)], dry=0.6)


def outfall(b: Brush) -> None:
    """A pipe through a stone bank, and what comes out of it into a stream."""
    b.sky(150)
    b.forest(b.ridge(150, 24), 210, 44, rows=7)
    b.grass([(-10, 372), (1300, 322), (1300, 480), (-10, 520)], dry=0.15, blades=2400)
    bank = [(-10, 440), (520, 410), (1300, 376), (1300, 600), (700, 628), (-10, 640)]
    b.earth(bank, ((84, 66, 50), (158, 132, 102)))
    b.scatter(
        210,
        lambda: (b.rng.uniform(0, WIDTH), b.rng.uniform(430, 596), b.rng.uniform(9, 24)),
        ((96, 92, 86), (168, 162, 150)),
    )
    stream = [(-10, 612), (420, 596), (1300, 566), (1300, HEIGHT), (-10, HEIGHT)]
    b.water(b.shape(stream, soft=2), ((52, 78, 66), (126, 146, 122)), 0.3)
    x, y = b.rng.uniform(520, 720), 508
    b.quad(
        (x - 120, y - 96),
        (x + 120, y - 104),
        (x + 132, y + 96),
        (x - 128, y + 104),
        colours=CONCRETE,
        bottom=0.8,
    )
    b.shadow([(x - 60, y + 40), (x + 80, y + 40), (x + 60, y + 110), (x - 40, y + 110)], 0.35)
    b.tint(b.oval(x, y + 6, 70, 72, soft=4), (30, 28, 28), 0.4)
    b.paint(b.oval(x, y, 64, 64), ((96, 96, 94), (182, 180, 174)))
    b.paint(b.oval(x, y + 2, 50, 50), ((16, 16, 16), (40, 38, 36)))
    pale = mix(MURKY[1], (232, 226, 206), b.rng.random())
    fall = [(x - 44, y + 22), (x + 44, y + 22), (x + 62, y + 132), (x - 66, y + 138)]
    b.paint(b.shape(fall, soft=2), (mix(pale, (90, 84, 66), 0.4), mix(pale, (255, 255, 250), 0.5)))
    for _ in range(40):
        fx = b.rng.uniform(-42, 42)
        b.line(
            [(x + fx, y + 26), (x + fx * 1.4, y + 134)],
            mix(pale, (255, 255, 252), b.rng.random()),
            1.4,
        )
    plume = [
        (x - 90, y + 122),
        (x + 90, y + 118),
        (x + 330, 720),
        (x + 560, HEIGHT + 10),
        (x - 120, HEIGHT + 10),
        (x - 150, 700),
    ]
    b.tint(b.shape(plume, soft=26), pale, 0.72)
    b.tint(b.oval(x, y + 140, 96, 18, soft=7), (250, 250, 246), 0.8)
    b.scatter(
        34,
        lambda: (b.rng.uniform(0, WIDTH), b.rng.uniform(600, 830), b.rng.uniform(10, 40)),
        ((88, 86, 80), (150, 146, 136)),
    )
    b.grass([(-10, 770), (180, 800), (330, 870), (-10, 870)], dry=0.1)


def permit_board(b: Brush) -> None:
    """A board by the road that names the permit; every name and number on it is made up."""
    b.sky(330)
    b.hills(350, 3)
    b.forest(b.ridge(400, 20, 1.5), 150, 34, rows=6)
    b.grass([(-10, 560), (1300, 548), (1300, 720), (-10, 740)], dry=0.3, blades=2600)
    b.earth([(-10, 716), (1300, 690), (1300, HEIGHT), (-10, HEIGHT)])
    for rut in (764, 812):
        b.tint(
            b.shape([(-10, rut), (1300, rut - 22), (1300, rut - 8), (-10, rut + 16)], soft=5),
            (72, 40, 28),
            0.4,
        )
    x, y = b.rng.uniform(560, 720), b.rng.uniform(190, 225)
    for post in (x - 250, x + 250):
        b.shadow([(post - 8, 716), (post + 12, 716), (post + 150, 742), (post + 120, 748)], 0.4)
        b.tube((post, 722), (post, y + 10), 11, STEEL_GREY)
    b.shadow(
        [(x - 318, y + 12), (x + 330, y + 12), (x + 330, y + 356), (x - 318, y + 356)], 0.5, 10
    )
    face, ink = b.rng.choice(
        (
            ((244, 242, 232), (26, 66, 96)),
            ((26, 92, 74), (244, 244, 236)),
            ((240, 222, 150), (52, 40, 28)),
        )
    )
    b.box(x - 322, y, x + 322, y + 344, STEEL_GREY)
    b.box(x - 312, y + 10, x + 312, y + 334, (mix(face, (90, 90, 84), 0.12), face))
    number = b.rng.randint(100, 999)
    lines = (
        ("EXAMPLE MINING PERMIT", 40, 34),
        (f"No. EX-{number}/2026", 34, 96),
        ("Separation of rare earths", 27, 158),
        ("Holder: Contoh Example Co.", 27, 200),
        ("Issued by: Example Authority", 27, 242),
        ("Entry for visitors at the gate only", 22, 290),
    )
    for words, size, down in lines:
        b.text(x, y + down, words, size, ink)
    b.line([(x - 280, y + 146), (x + 280, y + 146)], ink, 3)
    for _ in range(7):
        rx, ry = x + b.rng.uniform(-300, 300), y + b.rng.choice((14, 330))
        b.tint(
            b.oval(rx, ry, b.rng.uniform(6, 20), b.rng.uniform(5, 26), soft=5), (128, 66, 32), 0.5
        )


def drain(b: Brush) -> None:
    """A concrete channel along a site's edge, with what runs in it."""
    b.sky(280)
    b.hills(300, 3)
    b.forest(b.ridge(330, 14, 1.4), 50, 20, rows=4)
    b.grass([(-10, 372), (1300, 366), (1300, HEIGHT), (-10, HEIGHT)], dry=0.35, blades=4200)
    vx, vy = b.rng.uniform(520, 800), 372
    left, right = b.rng.uniform(120, 240), b.rng.uniform(1020, 1180)
    foot = HEIGHT + 20

    def toward(x: float, t: float) -> tuple[float, float]:
        return (x + (vx - x) * t, foot + (vy - foot) * t)

    def strip(x0: float, x1: float) -> list[tuple[float, float]]:
        return [toward(x0, 0), toward(x0, 1), toward(x1, 1), toward(x1, 0)]

    b.quad(*strip(left - 90, right + 90), colours=CONCRETE)
    b.quad(*strip(left, right), colours=((60, 58, 54), (112, 110, 102)))
    b.quad(*strip(left, left + 150), colours=((92, 90, 84), (150, 148, 138)))
    b.quad(*strip(right - 110, right), colours=((150, 148, 140), (206, 204, 194)))
    tone = b.rng.choice((MURKY, ((116, 84, 44), (196, 150, 84)), ((70, 92, 84), (150, 168, 150))))
    b.water(b.shape(strip(left + 150, right - 110)), tone, 0.45)
    t = 0.05
    while t < 0.97:
        for a, c in (
            (left - 90, left),
            (right, right + 90),
            (left, left + 150),
            (right - 110, right),
        ):
            b.line([toward(a, t), toward(c, t)], (84, 82, 78), 3.2 * (1 - t) + 0.5)
        t += (1 - t) * 0.2
    for x in (left, right):
        b.line([toward(x, 0), toward(x, 1)], (70, 68, 64), 2)
    for side in (left + 150, right - 110):
        b.tint(b.shape(strip(side - 12, side + 12), soft=4), (64, 52, 30), 0.5)
    b.tube((right + 230, 640), (right - 40, 664), 24, ((94, 96, 96), (198, 198, 194)))
    b.dot(right - 42, 664, 9, 24, (30, 30, 30))
    b.scatter(
        26,
        lambda: (
            b.rng.choice((b.rng.uniform(0, left * 0.8), b.rng.uniform(right + 60, WIDTH))),
            b.rng.uniform(560, 830),
            b.rng.uniform(6, 18),
        ),
        ((112, 104, 94), (170, 162, 148)),
    )
