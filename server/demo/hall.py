"""The example region's solvent-extraction hall, drawn in perspective."""

from __future__ import annotations

from collections.abc import Callable

from server.demo.brush import HEIGHT, STEEL, WIDTH, Brush, Colour, Point, mix

# From a place in the opening of the hall, and how deep it lies (0 to 1), to the picture.
View = Callable[[float, float, float], Point]


def solvent_extraction(b: Brush) -> None:
    """A hall of mixer-settlers, rows of basins on both sides of a walkway."""
    vx, vy = b.rng.uniform(420, 860), b.rng.uniform(270, 370)

    def to(x: float, y: float, t: float) -> Point:
        return (x + (vx - x) * t, y + (vy - y) * t)

    _room(b, to)
    tones = [
        ((120, 64, 30), (206, 140, 66)),
        ((34, 96, 84), (110, 176, 156)),
        ((128, 104, 40), (214, 190, 104)),
        ((66, 70, 120), (136, 142, 190)),
    ]
    b.rng.shuffle(tones)
    for _ in range(b.rng.randint(3, 5)):
        _tank(b, to, b.rng.choice((-60.0, 1340.0)), b.rng.uniform(0.3, 0.72))
    depths = [0.78 - 0.78 * (i / 9) ** 0.72 for i in range(10)]
    for i in range(9):
        back, front = depths[i], depths[i + 1]
        front = front + (back - front) * 0.12
        for out, inner in ((-420.0, 400.0), (1700.0, 880.0)):
            _basin(
                b,
                [
                    to(out, 640, back),
                    to(inner, 640, back),
                    to(inner, 640, front),
                    to(out, 640, front),
                ],
                [to(inner, 900, back), to(inner, 900, front), to(out, 900, front)],
                tones[(i + (out > 0)) % 4],
                1 - front,
            )
    _walkway(b, to)
    b.tint(b.oval(vx, vy, 420, 260, soft=90), (236, 242, 240), 0.22)


def _room(b: Brush, to: View) -> None:
    """Roof with skylights, floor, end wall and the frames between."""
    b.quad(
        (0, 0), (WIDTH, 0), (WIDTH, HEIGHT), (0, HEIGHT), colours=((96, 104, 106), (142, 150, 150))
    )
    b.quad(
        (-200, -160),
        (1480, -160),
        to(1480, -160, 0.86),
        to(-200, -160, 0.86),
        colours=((70, 76, 80), (112, 120, 124)),
    )
    for x in b.rng.sample(range(-60, 1400, 240), 3):
        sky = b.shape(
            [
                to(x - 74, -160, 0),
                to(x + 74, -160, 0),
                to(x + 74, -160, 0.86),
                to(x - 74, -160, 0.86),
            ],
            soft=1,
        )
        b.paint(sky, ((206, 220, 222), (246, 250, 248)))
    b.quad(
        (-300, 1010),
        (1580, 1010),
        to(1580, 1010, 0.86),
        to(-300, 1010, 0.86),
        colours=((98, 100, 98), (148, 150, 146)),
    )
    end = [to(-200, -160, 0.86), to(1480, -160, 0.86), to(1580, 1010, 0.86), to(-300, 1010, 0.86)]
    b.quad(*end, colours=((172, 182, 182), (226, 232, 230)))
    t = 0.8
    while t > 0.02:
        b.line(
            [
                to(-200, 1010, t),
                to(-200, -160, t),
                to(640, -260, t),
                to(1480, -160, t),
                to(1480, 1010, t),
            ],
            mix((52, 60, 66), (120, 130, 134), t),
            13 * (1 - t) + 1.5,
        )
        t = 1 - (1 - t) * 1.42


def _walkway(b: Brush, to: View) -> None:
    """The way between the rows, and the pipes along the right wall."""
    b.quad(
        to(470, 1010, 0.02),
        to(810, 1010, 0.02),
        to(810, 1010, 0.8),
        to(470, 1010, 0.8),
        colours=((120, 122, 116), (172, 172, 164)),
    )
    for x in (470, 810):
        b.line([to(x, 1010, 0), to(x, 1010, 0.8)], (212, 178, 58), 4)
    for i in range(5):
        y = 20 + i * 34
        b.tube(
            to(1330, y, 0),
            to(1330, y, 0.8),
            7,
            b.rng.choice(
                (((70, 100, 130), (160, 190, 214)), STEEL, ((120, 60, 44), (200, 130, 104)))
            ),
        )


def _tank(b: Brush, to: View, x: float, t: float) -> None:
    """A standing tank by the wall, its foot hidden behind the basins."""
    foot, head = to(x, 760, t), to(x, b.rng.uniform(40, 300), t)
    radius = b.rng.uniform(90, 150) * (1 - t)
    pale: tuple[Colour, Colour] = ((120, 122, 116), (240, 240, 232))
    b.tube(foot, head, radius, b.rng.choice((pale, STEEL, ((36, 60, 84), (120, 160, 196)))))
    b.dot(head[0], head[1], radius, radius * 0.22, (196, 198, 192))
    b.dot(head[0], head[1], radius * 0.3, radius * 0.07, (84, 86, 84))


def _basin(
    b: Brush, top: list[Point], side: list[Point], tone: tuple[Colour, Colour], near: float
) -> None:
    inner_back, inner_front, out_front = top[1], top[2], top[3]
    b.quad(
        inner_back,
        inner_front,
        side[1],
        side[0],
        colours=((150, 156, 150), (206, 210, 202)),
        bottom=0.75,
    )
    b.quad(
        inner_front,
        out_front,
        side[2],
        side[1],
        colours=((112, 118, 116), (166, 172, 168)),
        bottom=0.7,
    )
    b.quad(*top, colours=((132, 138, 134), (196, 200, 194)))
    cx, cy = sum(p[0] for p in top) / 4, sum(p[1] for p in top) / 4
    b.water(b.shape([(cx + (x - cx) * 0.93, cy + (y - cy) * 0.8) for x, y in top]), tone, 0.35)
    mx, my = (inner_back[0] + inner_front[0]) / 2, (inner_back[1] + inner_front[1]) / 2
    mx += (cx - mx) * 0.22
    b.tube((mx, my), (mx, my - 130 * near), 13 * near + 1, ((52, 84, 120), (150, 180, 206)))
    b.tube(
        (mx, my - 96 * near),
        (mx, my - 132 * near),
        22 * near + 1.5,
        ((40, 70, 60), (120, 160, 140)),
    )
