"""Text comes out of files, and what is wrong with a file is said of it and raises nothing else."""

from __future__ import annotations

import struct
import sys
import zipfile
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.model.extract import UnreadableError, extract_text, markup, office, plain

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'


def text(name: str, data: bytes) -> str:
    return extract_text(name, BytesIO(data))


def failure(name: str, data: bytes) -> tuple[str, str]:
    with pytest.raises(UnreadableError) as error:
        text(name, data)
    return error.value.code, error.value.message


def archive(members: dict[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, content in members.items():
            file.writestr(name, content)
    return buffer.getvalue()


def word(body: str, **others: str) -> bytes:
    document = f'<?xml version="1.0" encoding="UTF-8"?><w:document {W}><w:body>{body}</w:body></w:document>'
    return archive({"word/document.xml": document, **others})


BROKEN = ("invalid_file", "The file could not be parsed.")
TOO_LARGE = ("invalid_file", "The file could not be parsed because it is too large.")
UNSUPPORTED = ("unsupported_file", "The file type is not supported.")

# -- types


@pytest.mark.parametrize(
    "ending",
    ["c", "cpp", "cs", "css", "go", "java", "js", "json", "md", "php", "py", "rb", "sh", "tex", "ts", "txt", "csv", "TXT"],
)
def test_text_and_code_are_read_as_they_are(ending: str) -> None:
    assert text(f"a.b.{ending}", b'<b> {"x": "\\u00e9"}\r\n') == '<b> {"x": "\\u00e9"}\n'


@pytest.mark.parametrize("name", ["a.exe", "a.png", "a.doc", "a", "", "txt", "a.txt.zip", "a.xlsx", "a/../b.bin", "\ud800"])
def test_other_types_are_not_supported(name: str) -> None:
    assert failure(name, b"text") == UNSUPPORTED


@pytest.mark.parametrize("data", [b"", b"  \n\t", b"\xef\xbb\xbf"])
def test_a_file_without_text_fails(data: bytes) -> None:
    assert failure("a.txt", data) == ("invalid_file", "The file could not be parsed because it has no text.")


# -- encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_of_unicode_are_read(encoding: str) -> None:
    assert text("a.md", "Grüße, 世界 🙂 and more.".encode(encoding)) == "Grüße, 世界 🙂 and more."


@pytest.mark.parametrize(
    "data",
    ["Grüße".encode("latin-1"), "世界".encode("shift-jis"), b"\xff\xfea", b"\xff\xfe\x00\xd8", b"a\x00b", b"\x00\x00\xfe\xff"],
)
def test_other_encodings_fail(data: bytes) -> None:
    code, message = failure("a.txt", data)
    assert code == "invalid_file"
    assert message.endswith("its encoding is not one of: utf-8, utf-16, ascii.")


def test_texts_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain.read, "__defaults__", (10,))
    assert text("a.txt", b"x" * 10) == "x" * 10
    assert failure("a.txt", b"x" * 11) == TOO_LARGE


# -- markup


def test_a_page_has_the_text_that_it_shows() -> None:
    page = """<!DOCTYPE html><html><head><title>Title</title><style>p > a { color: red }</style>
      <script>if (a < b) { document.write("<p>no</p>") }</script></head>
      <body><!-- no <b>comment</b> --><h1>Head&shy;ing</h1><p>One <b>bo</b>ld &amp; 2 &lt; 3,   a < b</p><ul><li>x<li>y</ul></body>"""
    assert text("a.html", page.encode()).split("\n") == ["Title", "Head\u00ading", "One bold & 2 < 3, a < b", "x", "y"]


def test_xml_has_the_text_of_all_its_elements() -> None:
    source = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "y">]><a><script>s</script><b>one</b><![CDATA[two]]><c at="3">&lt;four</c></a>'
    assert text("a.xml", source.encode()).split() == ["s", "one", "two", "<four"]


@pytest.mark.parametrize(
    "piece", ["<", "<!--", "<![CDATA[", "<script", "<script>", "</", "<a ", "&", "<!", "< ", " \n", "&#x", "<a>"]
)
def test_odd_markup_takes_no_time(piece: str) -> None:
    for name in ("a.html", "a.xml"):
        assert text(name, b"begin " + piece.encode() * 100_000).startswith("begin")


@pytest.mark.parametrize("kind", ["", "[]", '[<!ENTITY x "y">]', "[<!ELEMENT x ANY> ]", "[ ]"])
def test_the_type_of_a_document_is_no_text(kind: str) -> None:
    assert text("a.xml", f"<!DOCTYPE a {kind}><a>text</a>".encode()) == "text"


def test_entities_are_not_expanded() -> None:
    laughs = '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><l>begin &b;</l>'
    assert text("a.xml", laughs.encode()).endswith("begin &b;")


# -- office


def test_a_word_document_has_the_text_of_its_paragraphs_and_notes() -> None:
    body = '<w:p><w:r><w:t>One</w:t></w:r><w:r><w:tab/><w:t xml:space="preserve"> two &amp; </w:t></w:r></w:p><w:p><w:r><w:instrText>no</w:instrText><w:t>three</w:t><w:br/><w:t>four</w:t></w:r></w:p>'
    notes = f"<w:footnotes {W}><w:footnote><w:p><w:r><w:t>Note</w:t></w:r></w:p></w:footnote></w:footnotes>"
    assert text("a.docx", word(body, **{"word/footnotes.xml": notes})) == "One\t two & \nthree\nfour\nNote"


def test_a_presentation_has_the_text_of_its_slides_in_their_order() -> None:
    def slide(words: str) -> str:
        return f"<p:sld {A} xmlns:p='p'><a:p><a:r><a:t>{words}</a:t></a:r></a:p></p:sld>"

    members = {f"ppt/slides/slide{at}.xml": slide(f"slide {at}") for at in (10, 2, 1)}
    members |= {
        "ppt/presentation.xml": "<p/>",
        "ppt/notesSlides/notesSlide2.xml": slide("note"),
        "ppt/slides/_rels/slide1.xml.rels": "no",
    }
    assert text("a.pptx", archive(members)).split("\n") == ["slide 1", "slide 2", "note", "slide 10"]


@pytest.mark.parametrize("name", ["a.docx", "a.pptx"])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no archive",
        b"PK\x03\x04 no archive",
        word("<w:p>")[:-30],
        archive({"other.xml": "<a/>"}),
        archive({"word/document.xml": "no xml", "ppt/presentation.xml": "", "ppt/slides/slide1.xml": "no xml"}),
        archive({"word/document.xml": "<a><b></a>", "ppt/presentation.xml": "", "ppt/slides/slide1.xml": b"\xff\xfe\xff"}),
        archive(
            {
                "word/document.xml": '<?xml version="1.0" encoding="no-such"?><a/>',
                "ppt/presentation.xml": "",
                "ppt/slides/slide1.xml": "<",
            }
        ),
    ],
)
def test_a_broken_document_fails(name: str, data: bytes) -> None:
    assert failure(name, data) == BROKEN


def test_a_document_that_is_damaged_anywhere_fails_or_is_read() -> None:
    data = word("<w:p><w:r><w:t>One two three four five six seven eight</w:t></w:r></w:p>")
    for at in range(len(data)):
        for changed in (data[:at], data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :]):
            try:
                text("a.docx", changed)
            except UnreadableError as error:
                assert error.code == "invalid_file"  # noqa: PT017 - some are read all the same


def test_entities_in_documents_are_refused() -> None:
    entities = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 12))
    laughs = f'<!DOCTYPE d [<!ENTITY l0 "ha">{entities}]><w:document {W}><w:t>&l11;</w:t></w:document>'
    outside = f'<!DOCTYPE d SYSTEM "file:///etc/passwd"><w:document {W}><w:t>x</w:t></w:document>'
    for document in (laughs, outside):
        assert failure("a.docx", archive({"word/document.xml": document})) == BROKEN


def test_what_a_document_expands_to_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(office, "MOST_BYTES", 10_000)
    bomb = word(f"<w:p><w:t>{' ' * 1_000_000}</w:t></w:p>")
    assert len(bomb) < 5_000
    assert failure("a.docx", bomb) == TOO_LARGE
    slides = {f"ppt/slides/slide{at}.xml": f"<a>{' ' * 6_000}</a>" for at in range(2)}
    assert failure("a.pptx", archive({"ppt/presentation.xml": "", **slides})) == TOO_LARGE


def test_an_archive_of_a_million_entries_is_not_opened() -> None:
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 100_000_000, 0, 0)
    assert failure("a.docx", b"PK" + end) == TOO_LARGE


def test_a_document_with_a_password_says_so() -> None:
    code, message = failure("a.docx", b"\xd0\xcf\x11\xe0" + b"\x00" * 600)
    assert (code, message.endswith("or has a password.")) == ("invalid_file", True)


# -- pdf


def pdf(words: str) -> bytes:
    stream = f"BT /F1 12 Tf 72 720 Td ({words}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    data, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join([b"%010d 00000 n \n" % offset for offset in offsets])
    return data + b"xref\n0 6\n0000000000 65535 f \n%strailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        table,
        len(data),
    )


def test_a_pdf_has_the_text_of_its_pages() -> None:
    pytest.importorskip("pypdf")
    assert text("a.pdf", pdf("One two")) == "One two"


def test_a_broken_pdf_fails() -> None:
    pytest.importorskip("pypdf")
    for data in (b"", b"no pdf", b"%PDF-1.4\n%%EOF", pdf("One")[:200]):
        assert failure("a.pdf", data)[0] == "invalid_file"


def test_without_the_extra_a_pdf_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdf", None)
    code, message = failure("a.pdf", pdf("One"))
    assert code == "unsupported_file"
    assert "azure-openai-mockserver[files]" in message


# -- anything


@given(st.sampled_from(["a.txt", "a.html", "a.xml", "a.docx", "a.pptx", "a.json"]), st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(name: str, data: bytes) -> None:
    try:
        assert extract_text(name, BytesIO(data))
    except UnreadableError as error:
        assert error.code == "invalid_file"  # noqa: PT017 - most of them are refused


@given(st.text(alphabet="<>!-[]CDATA/scriptyle &;#x\n ", max_size=60))
def test_any_markup_is_read_or_empty(source: str) -> None:
    for read in (markup.read_html, markup.read_xml):
        assert isinstance(read(BytesIO(source.encode())), str)
