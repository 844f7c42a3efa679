"""Reads one workbook in a process of its own, under limits of memory and time, and prints it as JSON.

Run as a script with a JSON object on standard input: {path, keys, fact_sheet, memory, seconds, characters}.
A hostile file can at worst end this process. Nothing of the application is imported here, so that it starts
in a few hundredths of a second.
"""

import datetime
import gc
import resource
import sys

import orjson
from python_calamine import CalamineWorkbook, PasswordError

HEAD_ROWS = 8


def limit_resources(memory: int, seconds: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


typed_cells = 0


def as_json(value):
    """Days become {"day": ...}; times and durations are kept as what they look like."""
    global typed_cells
    typed_cells += 1
    if isinstance(value, datetime.datetime):
        return {"day": value.date().isoformat()}
    if isinstance(value, datetime.date):
        return {"day": value.isoformat()}
    return {"other": str(value)}


def find_sheet(book, keys):
    """Return the sheet with the field names in its second row, else one that has them near the top."""
    fallback = None
    for meta in book.sheets_metadata:
        sheet = book.get_sheet_by_name(meta.name)
        head = sheet.to_python(skip_empty_area=False, nrows=HEAD_ROWS)
        held = [keys.intersection(cell for cell in row if isinstance(cell, str)) for row in head]
        if len(held) > 1 and held[1]:
            return sheet
        if fallback is None and any(held):
            fallback = sheet
    return fallback


def read(job):
    with open(job["path"], "rb") as file:
        book = CalamineWorkbook.from_filelike(file)
        facts = []
        if job["fact_sheet"] in book.sheet_names:
            facts = book.get_sheet_by_name(job["fact_sheet"]).to_python(skip_empty_area=False, nrows=50)
        sheet = find_sheet(book, set(job["keys"]))
        if sheet is None:
            return {"facts": facts, "sheet": None}
        rows = sheet.to_python(skip_empty_area=False)
        return {"facts": facts, "sheet": sheet.name, "rows": rows, "merged": sheet.merged_cell_ranges or []}


def main() -> int:
    job = orjson.loads(sys.stdin.buffer.read())
    limit_resources(job["memory"], job["seconds"])
    # One short read that makes no cycles: collecting would only cost time.
    gc.disable()
    try:
        found = read(job)
        text = orjson.dumps(found, default=as_json, option=orjson.OPT_PASSTHROUGH_DATETIME)
        # Whether any cell is more than text or a number, so that the caller need not look at each.
        text = text[:-1] + b',"typed":%s}' % (b"true" if typed_cells else b"false")
    except PasswordError:
        text = b'{"error": "password"}'
    except MemoryError:
        text = b'{"error": "too_complex"}'
    # The reader library has no common base of its errors, and every one means the same to the caller.
    except Exception:  # noqa: BLE001
        text = b'{"error": "damaged"}'
    if len(text) > job["characters"]:
        text = b'{"error": "too_complex"}'
    sys.stdout.buffer.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
