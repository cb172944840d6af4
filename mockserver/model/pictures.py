"""Small valid pictures of one colour in the formats of generated images, written without a library.

A picture has the ratio of the size that was wanted and at most 64 pixels on its longer side: a client that decodes one gets what it
expects, and a test does not carry megabytes.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator
from math import gcd

_LONGEST = 64
Colour = tuple[int, int, int]


def picture(size: str, form: str, colour: Colour, *, transparent: bool = False) -> bytes:
    """A picture in the format `png`, `jpeg` or `webp`. `size` is width and height in pixels, such as `1536x1024`; others are square.

    A JPEG is never transparent.
    """
    width, height = _fitted(size)
    alpha = 0 if transparent else 255
    if form == "jpeg":
        return _jpeg(width, height, colour)
    return _webp(width, height, colour, alpha) if form == "webp" else _png(width, height, colour, alpha)


def _fitted(size: str) -> tuple[int, int]:
    """The largest width and height of the same ratio that are small enough."""
    wide, _, high = size.partition("x")
    if not (wide.isdecimal() and high.isdecimal() and int(wide) and int(high)):
        return _LONGEST, _LONGEST
    width, height = int(wide), int(high)
    shared, longer = gcd(width, height), max(width, height)
    unit = longer // shared  # the longer side of the smallest picture whose ratio is exactly the same
    if unit <= _LONGEST:
        times = _LONGEST // unit
        return width // shared * times, height // shared * times
    return max(1, width * _LONGEST // longer), max(1, height * _LONGEST // longer)


def _png(width: int, height: int, colour: Colour, alpha: int) -> bytes:
    row = b"\0" + bytes((*colour, alpha)) * width
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(row * height, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join([_chunk(name, data) for name, data in chunks])


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _webp(width: int, height: int, colour: Colour, alpha: int) -> bytes:
    """Lossless WebP, whose five prefix codes have one symbol each, so that a pixel takes no bits at all."""
    red, green, blue = colour
    fields = [(0x2F, 8), (width - 1, 14), (height - 1, 14), (int(alpha < 255), 1), (0, 3), (0, 3)]
    for symbol in (green, red, blue, alpha):
        fields.append((0b101 | symbol << 3, 11))  # a simple code, of one symbol, which has eight bits
    fields.append((0b0001, 4))  # the code of distances, whose one symbol is 0
    value, used = 0, 0
    for number, bits in fields:
        value |= number << used
        used += bits
    data = value.to_bytes((used + 7) // 8, "little")
    padded = data + b"\0" * (len(data) % 2)
    body = b"WEBPVP8L" + struct.pack("<I", len(data)) + padded
    return b"RIFF" + struct.pack("<I", len(body)) + body


_STEP = 8  # of the quantisation: a block's mean is then a whole number of steps
_CATEGORY_BITS = 4


def _jpeg(width: int, height: int, colour: Colour) -> bytes:
    """A baseline JPEG. Its blocks have no detail, so that each is the difference of its mean to the last block's, and an end."""
    frame = struct.pack(">BHHB", 8, height, width, 3) + b"".join([bytes((one, 0x11, 0)) for one in (1, 2, 3)])
    scan = b"\x03" + b"".join([bytes((one, 0)) for one in (1, 2, 3)]) + b"\0\x3f\0"
    means = bytes([0, 0, 0, 9, *[0] * 12, *range(9)])  # nine categories, all with codes of four bits
    ends = bytes([1, *[0] * 15, 0])  # one code, of one bit: the end of the block
    segments = (
        (0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
        (0xDB, b"\0" + bytes([_STEP]) * 64),
        (0xC0, frame),
        (0xC4, b"\0" + means + b"\x10" + ends),
        (0xDA, scan),
    )
    head = b"".join([struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data for marker, data in segments])
    blocks = -(-width // 8) * -(-height // 8)
    return b"\xff\xd8" + head + _packed(_blocks(_ycc(colour), blocks)) + b"\xff\xd9"


def _ycc(colour: Colour) -> tuple[int, int, int]:
    """Luminance and the two colour differences, each from -128 to 127."""
    red, green, blue = colour
    luminance = 0.299 * red + 0.587 * green + 0.114 * blue
    values = (luminance - 128, (blue - luminance) * 0.564, (red - luminance) * 0.713)
    return tuple(max(-128, min(127, round(value))) for value in values)  # type: ignore[return-value]


def _blocks(means: tuple[int, int, int], count: int) -> Iterator[str]:
    for mean in means:
        category = abs(mean).bit_length()
        bits = format(mean if mean > 0 else mean + (1 << category) - 1, f"0{category}b") if category else ""
        yield format(category, f"0{_CATEGORY_BITS}b") + bits + "0"
    unchanged = "0" * (_CATEGORY_BITS + 1)
    yield unchanged * (3 * (count - 1))


def _packed(parts: Iterable[str]) -> bytes:
    """Bits as bytes, the last filled with ones; a zero follows 0xff, so that no decoder takes it for a marker."""
    bits = "".join(parts)
    bits += "1" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
