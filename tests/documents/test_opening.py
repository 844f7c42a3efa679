"""Sound documents are opened, others are refused in words, and nothing of this process is at risk."""

import contextlib
import io
import resource

import pytest
from PIL import Image
from pypdf import PdfReader

from app.documents import opening
from app.documents.kinds import JPEG, PDF, PNG
from app.documents.limits import Limits
from app.documents.refused import DocumentRefused
from tests.documents.samples import HOSTILE, pdf, pdf_bomb, picture


@pytest.mark.parametrize(
    ("content", "kind", "pages"),
    [(picture(), JPEG, 1), (picture("PNG"), PNG, 1), (pdf(3), PDF, 3)],
    ids=["jpeg", "png", "pdf"],
)
def test_sound(content, kind, pages):
    assert opening.inspect(content) == opening.Facts(kind, pages)
    shown = opening.render(content, kind)
    assert (len(shown.pages), shown.total) == (pages, pages)
    assert max(Image.open(io.BytesIO(shown.thumbnail)).size) <= 240
    assert all(each.startswith(b"\xff\xd8\xff") for each in shown.pages)


@pytest.mark.parametrize("name", HOSTILE)
def test_refused_in_words(name):
    content, code = HOSTILE[name]
    with pytest.raises(DocumentRefused) as refused:
        opening.inspect(content)
    assert refused.value.code == code
    assert len(str(refused.value)) > 8


def test_the_limits():
    with pytest.raises(DocumentRefused, match="10M"):
        opening.inspect(b"%PDF-" + bytes(10 * 1024 * 1024))
    with pytest.raises(DocumentRefused, match="2页"):
        opening.inspect(pdf(3), Limits(pages=2))
    assert len(opening.render(pdf(3), PDF, Limits(shown_pages=2)).pages) == 2


def test_a_bomb_ends_only_the_child():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    limits = Limits(memory_bytes=400 << 20, render_seconds=10)
    with contextlib.suppress(DocumentRefused):
        opening.render(pdf_bomb(), PDF, limits)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


def test_pictures_lose_what_they_carry_and_stand_upright():
    image = Image.new("RGB", (600, 300), "red")
    exif = image.getexif()
    exif[0x0112] = 6  # lies on its side
    exif[0x010E] = "a secret place"
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    (page,) = opening.render(out.getvalue(), JPEG).pages
    assert Image.open(io.BytesIO(page)).size == (300, 600)
    assert b"secret" not in page


def test_transparency_becomes_white():
    out = io.BytesIO()
    Image.new("RGBA", (50, 50), (0, 0, 0, 0)).save(out, "PNG")
    (page,) = opening.render(out.getvalue(), PNG).pages
    assert Image.open(io.BytesIO(page)).getpixel((25, 25)) == (255, 255, 255)


def test_pictures_become_one_pdf():
    made = opening.join([(picture(text="one"), JPEG), (picture("PNG", text="two"), PNG)])
    assert opening.inspect(made) == opening.Facts(PDF, 2)
    assert len(PdfReader(io.BytesIO(made)).pages) == 2
    with pytest.raises(ValueError, match="only pictures"):
        opening.join([(pdf(), PDF)])
