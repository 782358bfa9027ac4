"""Lays a chart out and draws it."""

import math

from canvas import Canvas, measure

INK = (38, 42, 51)
QUIET = (107, 114, 128)
GRID = (229, 231, 235)
AXIS = (156, 163, 175)
# Told apart by people with any colour vision (Okabe and Ito, jfly.uni-koeln.de/color).
COLORS = [(0, 114, 178), (230, 159, 0), (0, 158, 115), (213, 94, 0), (204, 121, 167), (86, 180, 233), (148, 103, 40), (90, 90, 90)]
MARGIN = 20
SWATCH = 14
MAX_LABEL_CHARACTERS = 20


def draw_chart(kind, title, labels, series, width, height):
    """PNG bytes. `series` are names with one number, or None for a gap, for each label."""
    canvas = Canvas(width, height)
    top = draw_heading(canvas, title, series)
    low, high = find_range(kind, series)
    ticks, step = make_ticks(low, high, max(2, (height - top) // 60))
    low, high = ticks[0], ticks[-1]
    tick_texts = [format_number(tick, step) for tick in ticks]
    left = MARGIN + max(measure(text)[0] for text in tick_texts) + 10
    right = width - MARGIN
    placing = place_labels(labels, right - left, height - top)
    bottom = height - MARGIN - placing.height

    def to_y(value):
        return bottom - (value - low) / (high - low) * (bottom - top)

    for tick, text in zip(ticks, tick_texts):
        y = round(to_y(tick))
        canvas.rectangle(left, y, right, y + 1, AXIS if tick == 0 or tick == low else GRID)
        text_width, text_height = measure(text)
        canvas.text(left - 10 - text_width, y - text_height / 2 - 1, text, QUIET)
    slot = (right - left) / len(labels)
    if kind == "line":
        draw_lines(canvas, series, lambda index: left + slot * (index + 0.5), to_y)
    else:
        draw_bars(canvas, series, (left, slot, kind == "stacked"), to_y)
    axis = round(to_y(0 if low <= 0 <= high else low))
    canvas.rectangle(left, axis, right, axis + 1, AXIS)
    placing.draw(canvas, left, bottom, slot)
    return canvas.png()


def draw_heading(canvas, title, series):
    """Title and legend; the height that they took."""
    y = MARGIN - 6
    if title:
        size = 3 if measure(title, 3)[0] <= canvas.width - 2 * MARGIN else 2
        most = (canvas.width - 2 * MARGIN) // (6 * size)
        canvas.text(MARGIN, y, cut(title, most), INK, size)
        y += measure("X", size)[1] + 8
    if len(series) > 1 or not title:
        x = MARGIN
        for index, (name, _) in enumerate(series):
            name = cut(name, 32)
            needed = SWATCH + 8 + measure(name)[0] + 24
            if x > MARGIN and x + needed > canvas.width - MARGIN:
                x = MARGIN
                y += 24
            canvas.rectangle(x, y + 4, x + SWATCH, y + 4 + SWATCH, COLORS[index])
            canvas.text(x + SWATCH + 8, y, name, INK)
            x += needed
        y += 24
    return y + 12


def find_range(kind, series):
    if kind == "stacked":
        columns = list(zip(*(numbers for _, numbers in series)))
        values = [sum(n for n in column if n and n > 0) for column in columns]
        values += [sum(n for n in column if n and n < 0) for column in columns]
    else:
        values = [number for _, numbers in series for number in numbers if number is not None]
    low, high = min(values), max(values)
    # Bars have to begin at zero; lines may leave it out when it is far away.
    if kind != "line" or (low > 0 and low < 0.4 * high) or (high < 0 and high > 0.4 * low):
        low, high = min(low, 0), max(high, 0)
    if low == high:
        low, high = (low - 1, high + 1) if low == 0 else (min(low * 2, 0), max(high * 2, 0))
    return low, high


def make_ticks(low, high, most):
    """Round values that enclose the range, and the step between them: 1, 2, 2.5 or 5 times a power of ten."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= rough * 0.999999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [tick * step for tick in range(first, max(last, first + 1) + 1)], step


def format_number(value, step):
    for size, suffix in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e4, "k")):
        if step * 4 >= size or (abs(value) >= size and step >= size / 100):
            size = 1e3 if suffix == "k" else size
            return f"{trim(value / size, step / size)}{suffix}" if value else "0"
    if abs(value) and step < 1e-4:
        return f"{value:.2e}"
    return trim(value, step)


def trim(value, step):
    decimals = max(0, min(8, -math.floor(math.log10(step) + 1e-9) + (1 if f"{step:e}".startswith("2.5") else 0)))
    return f"{value:,.{decimals}f}" if abs(value) > 10 ** -(decimals + 1) else f"{0:.0f}"


def cut(text, most):
    return text if len(text) <= most else text[: max(1, most - 1)] + "…"


class Placing:
    """How the labels of the x axis stand: level, upright, or level with some left out."""

    def __init__(self, labels, every, upright):
        self.labels = labels
        self.every = every
        self.upright = upright
        widest = max((measure(label)[0] for label in labels), default=0)
        self.height = 8 + (widest if upright else measure("X")[1])

    def draw(self, canvas, left, bottom, slot):
        for index in range(0, len(self.labels), self.every):
            label = self.labels[index]
            width, height = measure(label)
            middle = left + slot * (index + 0.5)
            canvas.rectangle(middle, bottom, middle + 1, bottom + 5, AXIS)
            if self.upright:
                canvas.text_upwards(middle - height / 2 - 1, bottom + 8 + width, label, QUIET)
            else:
                x = min(max(middle - width / 2, 2), canvas.width - width - 2)
                canvas.text(x, bottom + 7, label, QUIET)


def place_labels(labels, width, height):
    labels = [cut(label.strip(), MAX_LABEL_CHARACTERS) for label in labels]
    slot = width / len(labels)
    widest = max(measure(label)[0] for label in labels)
    if widest + 12 <= slot:
        return Placing(labels, 1, False)
    if slot >= 22:
        return Placing([cut(label, int(height * 0.35 / 12)) for label in labels], 1, True)
    return Placing(labels, max(1, math.ceil((widest + 18) / slot)), False)


def draw_bars(canvas, series, place, to_y):
    left, slot, stacked = place
    gap = min(slot * 0.2, 24)
    columns = 1 if stacked else len(series)
    bar = (slot - gap) / columns
    for index in range(len(series[0][1])):
        above = below = 0.0
        for number, (_, values) in enumerate(series):
            value = values[index]
            if value is None:
                continue
            start = left + slot * index + gap / 2 + (0 if stacked else number * bar)
            base = 0.0
            if stacked:
                base = above if value >= 0 else below
                above, below = (above + value, below) if value >= 0 else (above, below + value)
            upper, lower = sorted((to_y(base), to_y(base + value)))
            space = 1 if bar > 6 and not stacked else 0
            end = max(start + bar - space, start + 1)
            # A bar of almost nothing is still there.
            canvas.rectangle(start, min(upper, lower - 1) if value else lower, end, lower, COLORS[number])


def draw_lines(canvas, series, to_x, to_y):
    count = len(series[0][1])
    for number, (_, values) in enumerate(series):
        color = COLORS[number]
        previous = None
        for index, value in enumerate(values):
            point = None if value is None else (to_x(index), to_y(value))
            if point and previous:
                canvas.line(previous, point, color, 2.5 if count <= 200 else 1.6)
            lonely = point and previous is None and (index + 1 == count or values[index + 1] is None)
            if point and (count <= 40 or lonely):
                canvas.disc(point[0], point[1], 3.5, color)
            previous = point
