"""Documents made on the spot: sound ones, and those that somebody sends by mistake or on purpose."""

import io
import struct
import zipfile
import zlib

from PIL import Image, ImageDraw
from pypdf import PdfReader, PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, TextStringObject


def picture(kind: str = "JPEG", size: tuple[int, int] = (800, 500), text: str = "sample") -> bytes:
    image = Image.new("RGB", size, "#dfe7f5")
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 20, size[0] - 20, size[1] - 20), outline="#345", width=4)
    draw.text((60, 60), text, fill="#123")
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def pdf(pages: int = 2) -> bytes:
    out = io.BytesIO()
    sheets = [Image.new("RGB", (595, 842), (250, 250, 240 - place)) for place in range(pages)]
    for place, sheet in enumerate(sheets):
        ImageDraw.Draw(sheet).text((80, 80), f"page {place + 1}", fill="black")
    sheets[0].save(out, "PDF", save_all=True, append_images=sheets[1:])
    return out.getvalue()


def _rewritten(change) -> bytes:
    writer = PdfWriter()
    writer.append(PdfReader(io.BytesIO(pdf())))
    change(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def pdf_with_script() -> bytes:
    action = DictionaryObject(
        {
            NameObject("/S"): NameObject("/JavaScript"),
            NameObject("/JS"): TextStringObject("app.alert('hello');"),
        }
    )
    return _rewritten(lambda writer: writer.root_object.update({NameObject("/OpenAction"): action}))


def pdf_with_attachment() -> bytes:
    return _rewritten(lambda writer: writer.add_attachment("run.exe", b"MZ" + bytes(100)))


def pdf_with_password() -> bytes:
    return _rewritten(lambda writer: writer.encrypt("secret", algorithm="RC4-128"))


def pdf_with_hidden_script() -> bytes:
    """The name of the script is written with escapes, inside a compressed object stream or not."""
    return pdf_with_script().replace(b"/JavaScript", b"/J#61vaScript").replace(b"/JS ", b"/J#53 ")


def pdf_bomb() -> bytes:
    """A page whose drawing unpacks to a gigabyte."""

    def swell(writer: PdfWriter) -> None:
        stream = DecodedStreamObject()
        packer = zlib.compressobj(9)
        packed = b"".join(packer.compress(b" " * (1 << 20)) for _ in range(1024)) + packer.flush()
        stream.set_data(packed)
        stream[NameObject("/Filter")] = NameObject("/FlateDecode")
        writer.pages[0][NameObject("/Contents")] = writer._add_object(stream)

    return _rewritten(swell)


def png_bomb(side: int = 30_000) -> bytes:
    """A small file that says it is 900 million points."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack("!I", len(body)) + name + body + struct.pack("!I", zlib.crc32(name + body))

    row = b"\0" + bytes(side // 8 + 1)
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(row) for _ in range(1000)) + packer.flush()
    head = struct.pack("!IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr("run.sh", "echo")
    return out.getvalue()


HTML = b"<!doctype html><html><script>alert(1)</script></html>"

# name -> (content, the code of its refusal)
HOSTILE = {
    "a page": (HTML, "not_supported"),
    "nothing": (b"", "empty_file"),
    "an archive": (archive(), "not_supported"),
    "a program": (b"MZ" + bytes(200), "not_supported"),
    "a picture with an archive behind": (picture() + archive(), "mixed_content"),
    "a picture with a page behind": (picture("PNG") + HTML, "mixed_content"),
    "a broken picture": (picture(size=(1600, 1200))[:9000], "damaged"),
    "a broken PNG": (picture("PNG", size=(1600, 1200))[:2000], "damaged"),
    "a head alone": (b"\xff\xd8\xff\xe0" + bytes(40), "damaged"),
    "half a PDF": (pdf()[:500], "damaged"),
    "a PDF head alone": (b"%PDF-1.7\n" + HTML, "mixed_content"),
    "a locked PDF": (pdf_with_password(), "pdf_encrypted"),
    "a PDF with a script": (pdf_with_script(), "pdf_active"),
    "a PDF with a hidden script": (pdf_with_hidden_script(), "pdf_active"),
    "a PDF with an attachment": (pdf_with_attachment(), "pdf_active"),
    "a PDF with an archive behind": (pdf() + archive(), "mixed_content"),
    "a picture bomb": (png_bomb(), "picture_too_large"),
}
