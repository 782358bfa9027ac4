"""A dot-matrix font of 5 by 7 with accents above and descenders below, smoothed when it is enlarged."""

import unicodedata
from functools import lru_cache

ABOVE = 2
ASCENT = ABOVE + 7
LINE_HEIGHT = ABOVE + 8
ADVANCE = 6

# From the space on; five columns each, the lowest bit on top.
COLUMNS = bytes.fromhex(
    "0000000000 00005f0000 0007000700 147f147f14 242a7f2a12 2313086462 3649552250 0005030000"
    "001c224100 0041221c00 14083e0814 08083e0808 0050300000 0808080808 0060600000 2010080402"
    "3e5149453e 00427f4000 4261514946 2141454b31 1814127f10 2745454539 3c4a494930 0171090503"
    "3649494936 064949291e 0036360000 0056360000 0814224100 1414141414 0041221408 0201510906"
    "324979413e 7e1111117e 7f49494936 3e41414122 7f4141221c 7f49494941 7f09090901 3e4149497a"
    "7f0808087f 00417f4100 2040413f01 7f08142241 7f40404040 7f020c027f 7f0408107f 3e4141413e"
    "7f09090906 3e4151215e 7f09192946 4649494931 01017f0101 3f4040403f 1f2040201f 3f4038403f"
    "6314081463 0708700807 6151494543 007f414100 0204081020 0041417f00 0402010204 4040404040"
    "0001020400 2054545478 7f48444438 3844444420 384444487f 3854545418 087e090102 18a4a4a47c"
    "7f08040478 00447d4000 4080847d00 7f10284400 00417f4000 7c04180478 7c08040478 3844444438"
    "fc44444438 38444444fc 7c08040408 4854545420 043f444020 3c4040207c 1c2040201c 3c4030403c"
    "4428102844 1ca0a0a07c 4464544c44 0008364100 00007f0000 0041360800 1008081008"
)
# Letters that no accent makes.
EXTRA = {
    "ß": bytes.fromhex("7e01494936"),
    "€": bytes.fromhex("143e555541"),
    "£": bytes.fromhex("487e494142"),
    "°": bytes.fromhex("0006090906"),
    "µ": bytes.fromhex("fc2020101c"),
    "μ": bytes.fromhex("fc2020101c"),
    "×": bytes.fromhex("2214081422"),
    "·": bytes.fromhex("0000080000"),
    "…": bytes.fromhex("4000400040"),
    "ø": bytes.fromhex("7864544c3c"),
    "Ø": bytes.fromhex("3e6159453e"),
    "æ": bytes.fromhex("2054385448"),
    "Σ": bytes.fromhex("6355494141"),
    "Δ": bytes.fromhex("7046414670"),
}
REPLACED = {"–": "-", "—": "-", "−": "-", "’": "'", "‘": "'", "“": '"', "”": '"', "\u00a0": " ", "\u202f": " ", "\t": " "}
# Two rows above a letter, by combining character.
ACCENTS = {
    "\u0300": ("#....", ".#..."),
    "\u0301": ("...#.", "..#.."),
    "\u0302": ("..#..", ".#.#."),
    "\u0303": (".#.#.", "#.#.."),
    "\u0304": (".....", "#####"),
    "\u0308": (".#.#.", "....."),
    "\u030a": ("..#..", ".#.#."),
    "\u030c": (".#.#.", "..#.."),
}
UNKNOWN = bytes.fromhex("7f4141417f")


@lru_cache(maxsize=512)
def glyph(character):
    """The lit points of a character in its cell of 5 by 10."""
    character = REPLACED.get(character, character)
    columns = EXTRA.get(character)
    points = set()
    if columns is None:
        base, *marks = unicodedata.normalize("NFD", character)
        index = ord(base) - 32
        columns = COLUMNS[index * 5 : index * 5 + 5] if 0 <= index < 95 else UNKNOWN
        for mark in marks:
            rows = ACCENTS.get(mark, ())
            points |= {(x, y) for y, row in enumerate(rows) for x, lit in enumerate(row) if lit == "#"}
    return points | {(x, ABOVE + y) for x, bits in enumerate(columns) for y in range(8) if bits >> y & 1}


@lru_cache(maxsize=512)
def scaled(character, size):
    """Enlarged; by two with corners rounded as Scale2x does, so that diagonals are no stairs."""
    points = glyph(character)
    if size == 1:
        return points
    result = set()
    for y in range(LINE_HEIGHT):
        for x in range(-1, ADVANCE):
            here = (x, y) in points
            up, down = (x, y - 1) in points, (x, y + 1) in points
            left, right = (x - 1, y) in points, (x + 1, y) in points
            corners = {
                (0, 0): up if left == up and left != down and up != right else here,
                (1, 0): right if up == right and up != left and right != down else here,
                (0, 1): left if left == down and left != up and down != right else here,
                (1, 1): right if down == right and left != down and up != right else here,
            }
            if size == 2:
                result |= {(2 * x + dx, 2 * y + dy) for (dx, dy), lit in corners.items() if lit}
            elif here:
                result |= {(size * x + dx, size * y + dy) for dx in range(size) for dy in range(size)}
    return result


def characters(text):
    return unicodedata.normalize("NFC", "".join(character for character in text if character.isprintable() or character == "\t"))


def text_width(text, size):
    return max(0, len(characters(text)) * ADVANCE * size - size)


def glyph_pixels(text, size):
    for index, character in enumerate(characters(text)):
        offset = index * ADVANCE * size
        for x, y in scaled(character, size):
            yield offset + x, y
