"""Draws CSV as a chart. Arguments: one JSON object on stdin; answer: one JSON object on stdout."""

import json
import os
import sys

from chart import draw_chart
from table import TableError, read_table

MAX_FILE_BYTES = 16 * 1024 * 1024
MAX_SERIES = 8
MAX_BARS = 400
MAX_POINTS = 20_000


def main():
    arguments = json.load(sys.stdin)
    command = os.environ.get("KAIZEN_COMMAND", "draw")
    try:
        text = read_file(arguments["path"]) if command == "draw_file" else arguments["csv"]
        table = read_table(text, arguments.get("delimiter", "auto"))
        answer = describe(table) if command == "describe" else draw(table, arguments)
    except TableError as error:
        answer = {"error": str(error)}
    json.dump(answer, sys.stdout, ensure_ascii=False)


def read_file(path):
    try:
        with open(os.path.join(os.environ["KAIZEN_ROOT_DIR"], path), "rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise TableError(f'Cannot read "{path}": {error.strerror}; wanted a file below the root') from error
    if len(data) > MAX_FILE_BYTES:
        raise TableError(f'Cannot read "{path}": it is larger than {MAX_FILE_BYTES >> 20} MiB')
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def describe(table):
    return {"rows": len(table.rows), "columns": [column.summary() for column in table.columns]}


def draw(table, arguments):
    series = pick_series(table, arguments.get("y"), arguments.get("x"))
    labels = pick_labels(table, arguments.get("x"), series)
    kind = arguments.get("kind", "bar")
    most = MAX_POINTS if kind == "line" else MAX_BARS
    if len(table.rows) > most:
        raise TableError(f"Cannot draw {len(table.rows)} rows as {kind}: wanted at most {most}; sum them up first or draw lines")
    title = arguments.get("title")
    if title is None and "path" in arguments:
        title = os.path.basename(arguments["path"])
    picture = draw_chart(
        kind=kind,
        title=title or "",
        labels=labels.texts if labels else [str(row + 1) for row in range(len(table.rows))],
        series=[(column.name, column.numbers) for column in series],
        width=arguments.get("width", 960),
        height=arguments.get("height", 540),
    )
    with open("chart.png", "wb") as file:
        file.write(picture)
    names = ", ".join(column.name for column in series)
    return {
        "kind": kind,
        "rows": len(table.rows),
        "x": labels.name if labels else None,
        "columns": [column.summary() for column in series],
        "files": [{"path": "chart.png", "mimeType": "image/png", "description": f"{kind} chart of {names}"}],
    }


def pick_series(table, wanted, x):
    if wanted:
        columns = [table.column(name) for name in wanted]
        for column in columns:
            if not column.is_number:
                raise TableError(f'Cannot draw the column "{column.name}": it holds no numbers, such as "{column.sample()}"')
    else:
        columns = [column for column in table.columns if column.is_number and column.name != x]
        # A first column of 2019, 2020, … is what the others are drawn over.
        if len(columns) > 1 and x is None and columns[0] is table.columns[0] and columns[0].is_rising:
            columns = columns[1:]
    if not columns:
        raise TableError("Cannot draw the table: wanted at least one column with numbers")
    return columns[:MAX_SERIES]


def pick_labels(table, x, series):
    if x is not None:
        return table.column(x)
    others = [column for column in table.columns if column not in series]
    return next((column for column in others if not column.is_number), others[0] if others else None)


main()
