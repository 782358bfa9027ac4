"""CSV text → columns that know whether they hold numbers."""

import csv
import io
import math
import re

MAX_ROWS = 200_000
MAX_COLUMNS = 200
DELIMITERS = {",": ",", ";": ";", "tab": "\t", "|": "|"}
MISSING = {"", "-", "na", "n/a", "nan", "null", "none"}
# A number with a sign, a currency or a percent sign around it: "-1,234.50", "€ 3", "12 %".
DECORATION = re.compile(r"^[\s€$£¥]*([+-]?)[\s€$£¥]*([\d.,'\u00a0\u202f ]*\d[.,]?(?:[eE][+-]?\d+)?)\s*[%€$£¥]?\s*$")
POINT_NUMBER = re.compile(r"^(?:\d+|\d{1,3}(?:[,'\u00a0\u202f ]\d{3})+)?(?:\.\d*)?(?:[eE][+-]?\d+)?$")
COMMA_NUMBER = re.compile(r"^(?:\d+|\d{1,3}(?:[.'\u00a0\u202f ]\d{3})+)?(?:,\d*)?(?:[eE][+-]?\d+)?$")


class TableError(Exception):
    """What could not be read or drawn, and what is wanted, for whoever called."""


class Column:
    def __init__(self, name, texts, comma):
        self.name = name
        self.texts = texts
        filled = [text for text in texts if text.strip().lower() not in MISSING]
        numbers = [parse_number(text, comma) for text in texts]
        found = [number for number in numbers if number is not None]
        self.missing = len(texts) - len(filled)
        # One stray word among many numbers is a gap; more are a column of words.
        self.is_number = bool(found) and len(found) >= max(1, 0.9 * len(filled))
        self.numbers = numbers if self.is_number else [None] * len(texts)
        self.is_rising = self.is_number and None not in numbers and all(a < b for a, b in zip(numbers, numbers[1:]))

    def sample(self):
        return next((text for text in self.texts if text.strip()), "")[:40]

    def summary(self):
        if not self.is_number:
            return {"name": self.name, "type": "text", "missing": self.missing, "distinct": len(set(self.texts))}
        found = [number for number in self.numbers if number is not None]
        total = math.fsum(found)
        return {
            "name": self.name,
            "type": "number",
            "missing": len(self.numbers) - len(found),
            "min": plain(min(found)),
            "max": plain(max(found)),
            "mean": plain(total / len(found)),
            "sum": plain(total),
        }


class Table:
    def __init__(self, columns, rows):
        self.columns = columns
        self.rows = rows

    def column(self, name):
        for column in self.columns:
            if column.name == name:
                return column
        names = ", ".join(f'"{column.name}"' for column in self.columns[:20])
        raise TableError(f'Cannot find the column "{name}": wanted one of {names}')


def read_table(text, delimiter):
    """Throws TableError with the line that does not fit."""
    text = text.removeprefix("\ufeff").replace("\0", "")
    mark = find_delimiter(text) if delimiter == "auto" else DELIMITERS[delimiter]
    csv.field_size_limit(1_000_000)
    rows = []
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=True)
    try:
        for row in reader:
            if any(field.strip() for field in row):
                rows.append(row)
            if len(rows) > MAX_ROWS + 1:
                raise TableError(f"Cannot read the CSV: it has more than {MAX_ROWS} rows")
    except csv.Error as error:
        raise TableError(f"Cannot read the CSV, line {reader.line_num}: {error}") from error
    if len(rows) < 2:
        raise TableError("Cannot read the CSV: wanted a line of column names and at least one line of values")
    header, body = rows[0], rows[1:]
    if len(header) > MAX_COLUMNS:
        raise TableError(f"Cannot read the CSV: it has {len(header)} columns, wanted at most {MAX_COLUMNS}")
    names = name_columns(header)
    # Where columns are parted by ";", numbers have a decimal comma, as in most of Europe.
    columns = [
        Column(name, [row[index] if index < len(row) else "" for row in body], mark == ";" and not any_point(body, index))
        for index, name in enumerate(names)
    ]
    return Table(columns, body)


def any_point(rows, index):
    return any(re.fullmatch(r"\s*[+-]?\d*\.\d{1,2}\s*", row[index]) for row in rows if index < len(row))


def name_columns(header):
    names = []
    for index, name in enumerate(header):
        name = name.strip() or f"column {index + 1}"
        copies = 2
        unique = name
        while unique in names:
            unique = f"{name} ({copies})"
            copies += 1
        names.append(unique)
    return names


def find_delimiter(text):
    """The mark that parts the first lines most evenly; inside quotes it does not count."""
    lines = [re.sub(r'"[^"]*"', "", line) for line in text.splitlines()[:20] if line.strip()]

    def evenness(mark):
        counts = [line.count(mark) for line in lines] or [0]
        return (min(counts) > 0 and min(counts) == max(counts), min(counts), sum(counts))

    return max([",", ";", "\t", "|"], key=evenness)


def parse_number(text, comma):
    found = DECORATION.match(text)
    if not found:
        return None
    sign, digits = found.groups()
    digits = digits.strip()
    if not (COMMA_NUMBER if comma else POINT_NUMBER).match(digits):
        return None
    digits = re.sub(r"['\u00a0\u202f ]", "", digits)
    digits = digits.replace(".", "").replace(",", ".") if comma else digits.replace(",", "")
    try:
        number = float(sign + digits)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def plain(number):
    """7 rather than 7.0, and no noise of binary fractions."""
    return int(number) if number == int(number) and abs(number) < 1e15 else float(f"{number:.12g}")
