"""Small pictures, read back as a decoder reads them."""

from __future__ import annotations

import struct
import zlib

import pytest

from mockserver.model.pictures import picture

SIZES = {"1024x1024": (64, 64), "1536x1024": (63, 42), "1024x1536": (42, 63), "auto": (64, 64), "1792x1024": (63, 36),
         "1000x1": (64, 1), "0x5": (64, 64), "1023x1024": (63, 64)}  # fmt: skip
each_size = pytest.mark.parametrize(("size", "pixels"), SIZES.items(), ids=list(SIZES))


def chunks(data: bytes) -> dict[bytes, bytes]:
    found, at = {}, 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        name, content = data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length) == (zlib.crc32(name + content),)
        found[name] = content
        at += length + 12
    return found


@each_size
def test_a_png_has_the_ratio_of_its_size(size: str, pixels: tuple[int, int]) -> None:
    data = picture(size, "png", (1, 2, 3))
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    parts = chunks(data)
    assert struct.unpack(">IIBBBBB", parts[b"IHDR"]) == (*pixels, 8, 6, 0, 0, 0)
    width, height = pixels
    assert zlib.decompress(parts[b"IDAT"]) == (b"\0" + b"\1\2\3\xff" * width) * height
    assert parts[b"IEND"] == b""


def test_a_png_can_be_transparent() -> None:
    parts = chunks(picture("auto", "png", (9, 9, 9), transparent=True))
    assert zlib.decompress(parts[b"IDAT"])[1:5] == b"\x09\x09\x09\x00"


@each_size
def test_a_webp_has_the_ratio_of_its_size_and_its_colour(size: str, pixels: tuple[int, int]) -> None:
    data = picture(size, "webp", (0x12, 0x34, 0x56), transparent=True)
    assert (data[:4], data[8:16]) == (b"RIFF", b"WEBPVP8L")
    assert struct.unpack_from("<I", data, 4) == (len(data) - 8,)
    (length,) = struct.unpack_from("<I", data, 16)
    assert data[20] == 0x2F
    bits = int.from_bytes(data[21 : 20 + length], "little")
    assert (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), bits >> 28 & 1) == (*pixels, 1)
    codes = bits >> 35
    symbols = [codes >> 11 * at + 3 & 0xFF for at in range(4)]
    assert symbols == [0x34, 0x12, 0x56, 0]
    assert [codes >> 11 * at & 7 for at in range(4)] == [0b101] * 4


@each_size
@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (200, 30, 90)])
def test_a_jpeg_has_the_ratio_of_its_size_and_its_colour(
    size: str, pixels: tuple[int, int], colour: tuple[int, int, int]
) -> None:
    data = picture(size, "jpeg", colour)
    assert (data[:2], data[-2:]) == (b"\xff\xd8", b"\xff\xd9")
    frame = data.index(b"\xff\xc0")
    assert struct.unpack_from(">HH", data, frame + 5) == pixels[::-1]
    scan = data.index(b"\xff\xda")
    body = data[scan + 2 + struct.unpack_from(">H", data, scan + 2)[0] : -2]
    assert b"\xff" not in body.replace(b"\xff\x00", b"").rstrip(b"\xff")
    means = first_means(body.replace(b"\xff\x00", b"\xff"))
    assert all(abs(one - other) <= 2 for one, other in zip(rgb(*means), colour, strict=True))


def first_means(body: bytes) -> list[int]:
    """The means of the first block of each component."""
    bits, at, means = "".join(f"{byte:08b}" for byte in body), 0, []
    for _ in range(3):
        category = int(bits[at : at + 4], 2)
        value = int(bits[at + 4 : at + 4 + category] or "0", 2)
        means.append(value if not category or value >> (category - 1) else value - (1 << category) + 1)
        at += 4 + category
        assert bits[at] == "0", "the block ends here"
        at += 1
    return means


def rgb(luminance: int, blue: int, red: int) -> tuple[float, float, float]:
    y = luminance + 128
    return y + 1.402 * red, y - 0.344 * blue - 0.714 * red, y + 1.772 * blue
