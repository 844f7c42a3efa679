"""Opens documents in a process of its own, under limits of memory and time.

Run as a script with a JSON object on standard input: {task, folder, sources, media_type, limits}. Results
are files in the folder and a line of JSON. A hostile file can at worst end this process. Nothing of the
application is imported here, so that it starts in a moment.
"""

import json
import re
import resource
import sys
from pathlib import Path

PDF = "application/pdf"
FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG"}
# Names that make a PDF more than paper: scripts, programs, attachments, forms that send themselves.
ACTIVE_NAMES = {
    "/JavaScript", "/JS", "/Launch", "/EmbeddedFile", "/EmbeddedFiles", "/RichMedia", "/XFA", "/SubmitForm",
    "/ImportData", "/GoToE", "/Movie", "/Rendition",
}  # fmt: skip
# The long ones are also looked for in the raw bytes: an object that the index leaves out is still there.
ACTIVE_BYTES = re.compile(rb"/(JavaScript|Launch|EmbeddedFiles?|RichMedia|SubmitForm|ImportData)\b")
MAX_OBJECTS = 100_000
MAX_DEPTH = 60
QUALITY = 82
A4_INCHES = 11.69


class Refused(Exception):
    def __init__(self, code, **params):
        super().__init__(code)
        self.answer = {"error": code, "params": params}


def limit_resources(limits, seconds):
    memory, output = limits["memory_bytes"], limits["output_bytes"]
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (output, output))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def open_picture(path, media_type, limits):
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # our own limit is asked before anything is unpacked
    image = Image.open(path, formats=[FORMATS[media_type]])
    if image.width * image.height > limits["pixels"]:
        raise Refused("picture_too_large", limit=limits["pixels"] // 10_000)
    if min(image.size) < 1:
        raise Refused("damaged")
    return image


def plain_picture(path, media_type, limits, side):
    """The picture upright, without transparency and metadata, at most `side` long."""
    from PIL import Image, ImageOps

    image = open_picture(path, media_type, limits)
    image.draft("RGB", (side, side))
    image.load()
    image = ImageOps.exif_transpose(image)
    if image.mode not in ("RGB", "L"):
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image).convert("RGB")
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    image.info.clear()
    return image


def walk(found, depth=0):
    from pypdf.generic import ArrayObject, DictionaryObject, NameObject

    if depth > MAX_DEPTH:
        raise Refused("too_complex")
    if isinstance(found, DictionaryObject):
        for name, value in found.items():
            # iterating raw values leaves references unopened: every object is visited by its own number
            if str(name) in ACTIVE_NAMES:
                raise Refused("pdf_active")
            walk(value, depth + 1)
    elif isinstance(found, ArrayObject):
        for value in found:
            walk(value, depth + 1)
    elif isinstance(found, NameObject) and str(found) in ACTIVE_NAMES:
        raise Refused("pdf_active")


def inspect_pdf(path, limits):
    import logging

    import pypdf
    from pypdf.generic import IndirectObject

    logging.disable(logging.CRITICAL)
    content = path.read_bytes()
    reader = pypdf.PdfReader(path, strict=False)
    if reader.is_encrypted:
        raise Refused("pdf_encrypted")
    if ACTIVE_BYTES.search(content):
        raise Refused("pdf_active")
    numbers = {(number, place) for place, held in reader.xref.items() for number in held}
    numbers |= {(number, 0) for number in reader.xref_objStm}
    if len(numbers) > MAX_OBJECTS:
        raise Refused("too_complex")
    walk(reader.trailer)
    for number, place in sorted(numbers):
        walk(reader.get_object(IndirectObject(number, place, reader)))
    pages = len(reader.pages)
    if pages > limits["pages"]:
        raise Refused("pdf_too_many_pages", limit=limits["pages"])
    if pages < 1 or len(open_pdf(path)) != pages:
        raise Refused("damaged")
    return {"pages": pages}


def open_pdf(path):
    import pypdfium2  # type: ignore[import-untyped]

    return pypdfium2.PdfDocument(path)


def inspect(job, limits):
    path = Path(job["sources"][0])
    if job["media_type"] == PDF:
        return inspect_pdf(path, limits)
    # all of it: a picture that breaks off in the middle is told at once
    open_picture(path, job["media_type"], limits).load()
    return {"pages": 1}


def render(job, limits):
    path, folder = Path(job["sources"][0]), Path(job["folder"])
    if job["media_type"] != PDF:
        picture = plain_picture(path, job["media_type"], limits, limits["page_side"])
        keep(picture, folder, 1, limits)
        return {"pages": 1, "shown": 1}
    document = open_pdf(path)
    shown = min(len(document), limits["shown_pages"])
    for number in range(shown):
        page = document[number]
        scale = limits["page_side"] / max(*page.get_size(), 1)
        picture = page.render(scale=min(scale, 4), may_draw_forms=False).to_pil().convert("RGB")
        keep(picture, folder, number + 1, limits)
        page.close()
    return {"pages": len(document), "shown": shown}


def keep(picture, folder, number, limits):
    picture.save(folder / f"page-{number}.jpg", "JPEG", quality=QUALITY, optimize=True)
    if number == 1:
        picture.thumbnail((limits["thumbnail_side"], limits["thumbnail_side"]))
        picture.save(folder / "thumbnail.jpg", "JPEG", quality=QUALITY)


def join(job, limits):
    """One PDF with one picture to a page, in the order given."""
    import io

    import pypdf

    writer = pypdf.PdfWriter()
    for source, media_type in zip(job["sources"], job["media_types"], strict=True):
        picture = plain_picture(Path(source), media_type, limits, limits["page_side"])
        page = io.BytesIO()
        picture.save(page, "PDF", quality=QUALITY, resolution=max(picture.size) / A4_INCHES)
        writer.append(pypdf.PdfReader(page))
    writer.metadata = None
    with (Path(job["folder"]) / "joined.pdf").open("wb") as file:
        writer.write(file)
    return {"pages": len(job["sources"])}


TASKS = {"inspect": inspect, "render": render, "join": join}


def main() -> int:
    job = json.loads(sys.stdin.buffer.read())
    limits = job["limits"]
    limit_resources(limits, job["seconds"])
    try:
        answer = TASKS[job["task"]](job, limits)
    except Refused as refused:
        answer = refused.answer
    except (MemoryError, RecursionError):
        answer = {"error": "too_complex", "params": {}}
    # The libraries have no common base of their errors, and every one means the same to the caller.
    except Exception:  # noqa: BLE001
        answer = {"error": "damaged", "params": {}}
    sys.stdout.write(json.dumps(answer))
    return 0


if __name__ == "__main__":
    sys.exit(main())
