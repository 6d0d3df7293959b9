"""Paint for drawn example pictures: sky, hills, forest, earth, water, walls, from seeded noise.

Coordinates are pixels of the finished picture, WIDTH x HEIGHT, x to the right and y down; drawing
happens at twice that size and is reduced at the end, which smooths every edge.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

WIDTH, HEIGHT = 1280, 853
_S = 2
_SIZE = (WIDTH * _S, HEIGHT * _S)

Colour = tuple[int, int, int]
Point = tuple[float, float]

LATERITE = ((122, 68, 44), (206, 132, 88))
CONCRETE = ((120, 118, 112), (196, 194, 186))
LEAVES = ((26, 52, 30), (104, 136, 66))
STEEL = ((92, 100, 106), (186, 192, 196))
WATER = ((38, 96, 104), (140, 190, 186))
MURKY = ((96, 92, 62), (176, 168, 126))


def mix(a: Colour, b: Colour, t: float) -> Colour:
    """The colour a share `t` of the way from `a` to `b`."""
    return (
        round(a[0] + (b[0] - a[0]) * t),
        round(a[1] + (b[1] - a[1]) * t),
        round(a[2] + (b[2] - a[2]) * t),
    )


class Brush:
    """One picture being painted; every stroke draws its chance from `rng`."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.image = Image.new("RGB", _SIZE)
        self.grain = self._noise((900, 330, 90), (0.45, 0.35))
        self.patches = self._noise((60, 18, 7), (0.5, 0.4))
        even = Image.new("L", _SIZE, 150)
        self.smooth = Image.blend(even, Image.blend(self.grain, self.patches, 0.5), 0.38)
        self.streaks = self._noise((26, 9), (0.4,), flat=22)

    # -- fills ------------------------------------------------------------------------------------

    def shape(self, points: Sequence[Point], *, soft: float = 0) -> Image.Image:
        """A mask of the polygon, its edge blurred by `soft` pixels."""
        return _mask(lambda pen, s: pen.polygon([(x * s, y * s) for x, y in points], 255), soft)

    def oval(self, x: float, y: float, rx: float, ry: float, *, soft: float = 0) -> Image.Image:
        """A mask of an ellipse around x, y."""
        corners = (x - rx, y - ry, x + rx, y + ry)
        return _mask(lambda pen, s: pen.ellipse([c * s for c in corners], 255), soft)

    def paint(
        self,
        mask: Image.Image,
        colours: tuple[Colour, Colour],
        noise: Image.Image | None = None,
        *,
        light: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        """Fill a mask with noise between two colours, its light going from top to bottom."""
        box = mask.getbbox()
        if box is None:
            return
        ground = (noise or self.grain).crop(box)
        layer = ImageOps.colorize(ground, colours[0], colours[1])
        if light != (1.0, 1.0):
            fall = Image.new("L", (1, 64))
            fall.putdata(
                [_byte(255 * (light[0] + (light[1] - light[0]) * i / 63)) for i in range(64)]
            )
            shade = fall.resize(layer.size, Image.Resampling.BILINEAR)
            layer = ImageChops.multiply(layer, Image.merge("RGB", (shade, shade, shade)))
        self.image.paste(layer, box[:2], mask.crop(box))

    def tint(self, mask: Image.Image, colour: Colour, strength: float) -> None:
        """Lay a thin colour over a mask: shadow, haze, gleam."""
        box = mask.getbbox()
        if box is not None:
            thin = mask.crop(box).point(lambda v: round(v * strength))
            self.image.paste(colour, box, thin)

    def quad(
        self, *points: Point, colours: tuple[Colour, Colour], top: float = 1.0, bottom: float = 1.0
    ) -> None:
        """A polygon of a made surface, nearly even, lit from `top` to `bottom`."""
        self.paint(self.shape(points), colours, self.smooth, light=(top, bottom))

    def box(
        self,
        x0: float,
        y0: float,
        x1: float,
        y1: float,
        colours: tuple[Colour, Colour],
        *,
        bottom: float = 1.0,
    ) -> None:
        """An upright rectangle of a made surface."""
        self.quad((x0, y0), (x1, y0), (x1, y1), (x0, y1), colours=colours, bottom=bottom)

    def line(self, points: Sequence[Point], colour: Colour, width: float) -> None:
        """A line with round joints."""
        draw = ImageDraw.Draw(self.image)
        scaled = [(x * _S, y * _S) for x, y in points]
        draw.line(scaled, fill=colour, width=max(1, round(width * _S)), joint="curve")

    def dot(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        """A plain ellipse."""
        box = ((x - rx) * _S, (y - ry) * _S, (x + rx) * _S, (y + ry) * _S)
        ImageDraw.Draw(self.image).ellipse(box, fill=colour)

    def tube(self, a: Point, b: Point, radius: float, colours: tuple[Colour, Colour]) -> None:
        """A lit cylinder from a to b: bright above its middle, dark below."""
        nx, ny = b[1] - a[1], a[0] - b[0]
        length = math.hypot(nx, ny) or 1
        if ny > 0 or (ny == 0 and nx > 0):
            nx, ny = -nx, -ny
        nx, ny = nx / length, ny / length
        steps = max(6, round(radius * 1.4))
        for i in range(steps):
            t = 1 - 2 * i / (steps - 1)
            shine = max(0.0, math.cos((t - 0.42) * 1.5)) ** 1.6
            at = (nx * radius * t, ny * radius * t)
            self.line(
                [(a[0] + at[0], a[1] + at[1]), (b[0] + at[0], b[1] + at[1])],
                mix(colours[0], colours[1], shine),
                2.4 * radius / steps + 0.6,
            )

    def text(self, x: float, y: float, words: str, size: float, colour: Colour) -> None:
        """Words centred on x, their top at y."""
        font = ImageFont.load_default(size * _S)
        ImageDraw.Draw(self.image).text((x * _S, y * _S), words, colour, font, anchor="ma")

    # -- landscape --------------------------------------------------------------------------------

    def sky(self, horizon: float, *, warmth: float | None = None) -> None:
        """A sky that pales to the horizon, with clouds; warmth 0 is midday, 1 late afternoon."""
        warm = self.rng.random() if warmth is None else warmth
        high = mix((78, 128, 176), (96, 118, 156), warm)
        low = mix((206, 222, 228), (246, 218, 178), warm)
        band = Image.new("RGB", (1, 32))
        band.putdata([mix(high, low, (i / 31) ** 0.8) for i in range(32)])
        tall = round(horizon * _S) + 80
        self.image.paste(band.resize((_SIZE[0], tall), Image.Resampling.BICUBIC), (0, 0))
        clouds = self._noise((90, 36, 13, 5), (0.5, 0.55, 0.5), flat=3)
        thick = clouds.point(lambda v: min(235, max(0, (v - 118) * 3)))
        fade = Image.linear_gradient("L").resize(_SIZE)
        thick = ImageChops.multiply(thick, ImageOps.invert(fade))
        self.tint(thick, mix((250, 250, 250), (255, 240, 222), warm), 0.85)

    def ridge(self, y: float, height: float, bend: float = 1.0) -> list[Point]:
        """A skyline around y, reaching `height` above and below it."""
        waves = [
            (self.rng.uniform(0.5, 1.6) * bend * k, self.rng.uniform(0, 6.3), 1 / k**1.25)
            for k in (1, 2, 3.7, 7.1, 15, 31)
        ]
        total = sum(w[2] for w in waves)
        return [
            (
                x,
                y
                + height * sum(a * math.sin(x / WIDTH * f * 6.3 + p) for f, p, a in waves) / total,
            )
            for x in range(-10, WIDTH + 20, 6)
        ]

    def hills(self, horizon: float, layers: int = 4, *, height: float = 70) -> None:
        """Wooded ranges behind one another, each nearer one darker, greener and rougher."""
        far, near = (142, 168, 184), (66, 92, 56)
        for i in range(layers):
            t = i / max(1, layers - 1)
            line = self.ridge(
                horizon - height * (0.9 - 0.9 * t), height * (0.8 - 0.25 * t), 0.8 + t
            )
            tone = mix(far, near, t**0.9)
            mask = self.shape([*line, (WIDTH + 20, HEIGHT), (-10, HEIGHT)])
            spread = 0.06 + 0.26 * t
            self.paint(mask, (mix(tone, (18, 34, 26), spread), mix(tone, (206, 210, 160), spread)))
            haze = self.shape(
                [
                    (-10, horizon - 20 * (1 - t)),
                    (WIDTH + 20, horizon),
                    (WIDTH + 20, horizon + 70),
                    (-10, horizon + 70),
                ],
                soft=26,
            )
            self.tint(haze, (222, 226, 220), 0.28 * (1 - t))

    def forest(self, line: Sequence[Point], depth: float, size: float, *, rows: int = 5) -> None:
        """Tree crowns in rows, from the skyline `line` downwards over `depth` pixels."""
        for row in range(rows):
            down = depth * row / max(1, rows - 1)
            crown = size * (0.7 + 0.6 * row / rows)
            at = -crown
            while at < WIDTH + crown:
                index = min(len(line) - 1, max(0, round((at + 10) / 6)))
                y = line[index][1] + down + self.rng.uniform(-0.4, 0.4) * crown
                self.crown(at, y, crown * self.rng.uniform(0.7, 1.25), row / rows)
                at += crown * self.rng.uniform(0.7, 1.3)

    def crown(self, x: float, y: float, r: float, near: float = 0.5) -> None:
        """One tree's crown: a dark mass with lit tufts on its upper left."""
        tone = mix((40, 62, 36), (86, 112, 52), self.rng.random())
        tone = mix(tone, (30, 46, 30), 0.25 * near)
        self.dot(x, y, r, r * 0.85, mix(tone, (14, 26, 18), 0.5))
        for _ in range(round(8 + r / 2)):
            a, d = self.rng.uniform(0, 6.3), self.rng.random() ** 0.5 * r * 0.75
            dx, dy = math.cos(a) * d, math.sin(a) * d * 0.8
            lit = 0.5 - 0.5 * (dx + 1.3 * dy) / (1.7 * r)
            tuft = r * self.rng.uniform(0.14, 0.32) + 0.6
            self.dot(
                x + dx,
                y + dy,
                tuft,
                tuft * 0.8,
                mix(mix(tone, (16, 28, 18), 0.4), mix(tone, (196, 204, 120), 0.45), lit),
            )

    def grass(self, points: Sequence[Point], *, dry: float = 0.3, blades: int = 1400) -> None:
        """A polygon of grass: an uneven green with single blades on it."""
        dark, light = (
            mix((44, 66, 30), (104, 90, 50), dry),
            mix((122, 146, 70), (190, 172, 106), dry),
        )
        mask = self.shape(points, soft=1.5)
        self.paint(mask, (dark, light))
        self.tint(ImageChops.multiply(mask, self.patches), dark, 0.45)
        xs, ys = [p[0] for p in points], [p[1] for p in points]
        for _ in range(blades):
            x, y = self.rng.uniform(min(xs), max(xs)), self.rng.uniform(min(ys), max(ys))
            if not (0 <= x < WIDTH and 0 <= y < HEIGHT) or not mask.getpixel(
                (int(x * _S), int(y * _S))
            ):
                continue
            tall = (3 + 10 * y / HEIGHT) * self.rng.uniform(0.5, 1.2)
            self.line(
                [(x, y), (x + self.rng.uniform(-0.4, 0.4) * tall, y - tall)],
                mix(dark, light, self.rng.random()),
                0.8,
            )

    def earth(self, points: Sequence[Point], colours: tuple[Colour, Colour] = LATERITE) -> None:
        """Bare ground: grain, patches of another tone, and stones."""
        mask = self.shape(points, soft=1)
        self.paint(mask, colours, light=(1.0, 0.86))
        self.tint(ImageChops.multiply(mask, self.patches), mix(colours[0], (60, 40, 30), 0.3), 0.5)

    def water(self, mask: Image.Image, colours: tuple[Colour, Colour], gleam: float = 0.5) -> None:
        """Still water: flat streaks, darker near, a gleam of the sky across it."""
        self.paint(mask, colours, self.streaks, light=(1.0, 0.82))
        box = mask.getbbox()
        if box is None:
            return
        x0, y0, x1, y1 = (v / _S for v in box)
        sheet = self.oval(
            x0 + (x1 - x0) * self.rng.uniform(0.3, 0.7),
            y0 + (y1 - y0) * 0.3,
            (x1 - x0) * 0.33,
            (y1 - y0) * 0.2,
            soft=(y1 - y0) * 0.1,
        )
        self.tint(ImageChops.multiply(sheet, mask), (226, 236, 238), gleam)

    def shadow(self, points: Sequence[Point], strength: float = 0.45, soft: float = 6) -> None:
        """A cast shadow."""
        self.tint(self.shape(points, soft=soft), (22, 20, 24), strength)

    def scatter(
        self,
        count: int,
        place: Callable[[], tuple[float, float, float]],
        colours: tuple[Colour, Colour],
    ) -> None:
        """Stones: `place` gives x, y and radius of each."""
        for x, y, r in sorted((place() for _ in range(count)), key=lambda s: s[1]):
            tone = mix(*colours, self.rng.random())
            self.dot(x + r * 0.2, y + r * 0.35, r * 1.1, r * 0.6, mix(tone, (20, 16, 14), 0.65))
            self.dot(x, y, r, r * 0.7, mix(tone, (20, 16, 14), 0.25))
            self.dot(
                x - r * 0.18, y - r * 0.16, r * 0.66, r * 0.42, mix(tone, (255, 250, 240), 0.18)
            )

    # -- the finished picture ---------------------------------------------------------------------

    def finish(self, *, mirror: bool, zoom: float, shift: Point) -> Image.Image:
        """The picture at its own size, as a lens gives it: framed, darker at the rim, grainy."""
        w, h = _SIZE[0] / zoom, _SIZE[1] / zoom
        x, y = (_SIZE[0] - w) * shift[0], (_SIZE[1] - h) * shift[1]
        out = self.image.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS, box=(x, y, x + w, y + h))
        if mirror:
            out = ImageOps.mirror(out)
        edge = Image.radial_gradient("L").resize(out.size).point(lambda v: max(0, v - 110))
        out.paste((16, 14, 18), (0, 0), edge.point(lambda v: round(v * 0.55)))
        noise = Image.frombytes("L", out.size, self.rng.randbytes(WIDTH * HEIGHT))
        out = ImageChops.overlay(
            out, Image.merge("RGB", (noise.point(lambda v: 116 + v // 11),) * 3)
        )
        return ImageEnhance.Brightness(ImageEnhance.Contrast(out).enhance(1.05)).enhance(1.07)

    def _noise(
        self, cells: Sequence[int], shares: Sequence[float], *, flat: int = 1
    ) -> Image.Image:
        """Noise of several sizes, finest first; `flat` stretches it sideways."""
        out: Image.Image | None = None
        for i, across in enumerate(cells):
            rows = max(2, round(across * HEIGHT / WIDTH * flat))
            octave = Image.frombytes("L", (across, rows), self.rng.randbytes(across * rows))
            octave = octave.resize(_SIZE, Image.Resampling.BICUBIC)
            out = octave if out is None else Image.blend(out, octave, shares[i - 1])
        assert out is not None  # noqa: S101 - every caller names at least one size
        return ImageOps.autocontrast(out, cutoff=1)


def _mask(draw: Callable[[ImageDraw.ImageDraw, float], None], soft: float) -> Image.Image:
    """A drawn mask; one with a soft edge is made smaller, where blurring costs little."""
    shrink = 4 if soft >= 3 else 2 if soft >= 1 else 1
    mask = Image.new("L", (_SIZE[0] // shrink, _SIZE[1] // shrink))
    draw(ImageDraw.Draw(mask), _S / shrink)
    if soft >= 1:
        mask = mask.filter(ImageFilter.GaussianBlur(soft * _S / shrink))
    return mask.resize(_SIZE, Image.Resampling.BILINEAR) if shrink > 1 else mask


def _byte(value: float) -> int:
    return max(0, min(255, round(value)))
