"""Pixels, filled shapes and smooth lines in memory, written as PNG (w3.org/TR/png)."""

import struct
import zlib

from font import ASCENT, LINE_HEIGHT, glyph_pixels, text_width


class Canvas:
    def __init__(self, width, height, background=(255, 255, 255)):
        self.width = width
        self.height = height
        self.pixels = bytearray(bytes(background) * (width * height))

    def rectangle(self, left, top, right, bottom, color):
        """Fills from left/top up to, but without, right/bottom."""
        left, right = max(0, round(left)), min(self.width, round(right))
        top, bottom = max(0, round(top)), min(self.height, round(bottom))
        if left >= right:
            return
        row = bytes(color) * (right - left)
        for y in range(top, bottom):
            start = (y * self.width + left) * 3
            self.pixels[start : start + len(row)] = row

    def blend(self, x, y, color, coverage):
        if coverage <= 0 or not (0 <= x < self.width and 0 <= y < self.height):
            return
        at = (y * self.width + x) * 3
        if coverage >= 1:
            self.pixels[at : at + 3] = bytes(color)
            return
        for channel in range(3):
            old = self.pixels[at + channel]
            self.pixels[at + channel] = round(old + (color[channel] - old) * coverage)

    def line(self, start, end, color, thickness=2.0):
        """A smooth line: every pixel is covered by how far its middle is from the line."""
        (x0, y0), (x1, y1) = start, end
        dx, dy = x1 - x0, y1 - y0
        length = (dx * dx + dy * dy) ** 0.5
        if length == 0:
            return
        steep = abs(dy) > abs(dx)
        if steep:
            x0, y0, x1, y1, dx, dy = y0, x0, y1, x1, dy, dx
        if x0 > x1:
            x0, y0, x1, y1, dx, dy = x1, y1, x0, y0, -dx, -dy
        slope = dy / dx
        half = thickness / 2
        reach = (half + 1) * length / abs(dx)
        for x in range(round(x0), round(x1) + 1):
            middle = y0 + slope * (x - x0)
            for y in range(int(middle - reach), int(middle + reach) + 2):
                distance = abs((y - middle) * dx) / length
                coverage = half + 0.5 - distance
                self.blend(y if steep else x, x if steep else y, color, min(1.0, coverage))

    def disc(self, x, y, radius, color):
        for row in range(int(y - radius - 1), int(y + radius + 2)):
            for column in range(int(x - radius - 1), int(x + radius + 2)):
                distance = ((column - x) ** 2 + (row - y) ** 2) ** 0.5
                self.blend(column, row, color, min(1.0, radius + 0.5 - distance))

    def text(self, x, y, text, color, size=2):
        """Text whose line box has its left upper corner at x, y."""
        for column, row in glyph_pixels(text, size):
            self.blend(round(x) + column, round(y) + row, color, 1)

    def text_upwards(self, x, y, text, color, size=2):
        """Text turned left by 90°, its line box beginning at the lower left corner x, y."""
        for column, row in glyph_pixels(text, size):
            self.blend(round(x) + row, round(y) - column, color, 1)

    def png(self):
        stride = self.width * 3
        rows = b"".join(b"\0" + self.pixels[start : start + stride] for start in range(0, len(self.pixels), stride))
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b"")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def measure(text, size=2):
    """Width and height of a line of text in pixels."""
    return text_width(text, size), LINE_HEIGHT * size


def baseline(size=2):
    return ASCENT * size
