"""Files that want to hurt whoever opens them, all made here.

``corpus`` is the fixed part, by name; ``mutated`` is what hypothesis makes of good clips.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
from hypothesis import strategies as st

from detector.tests import clips

SMALL = (96, 64)
EXTREMES = (0, 1, 7, 8, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
CONTAINERS = frozenset(b"moov trak mdia minf stbl edts dinf udta mvex moof traf".split())
MANY = 10_000
SEEDS: dict[str, dict[str, Any]] = {
    "h264.mp4": {"muxer": {"movflags": "faststart"}, "sound": True},
    "fragments.mp4": {"muxer": {"movflags": "empty_moov+frag_keyframe"}, "g": "4"},
    "turned.mov": {"rotation": 90},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "h264.mkv": {"sound": True},
    "mpeg4.avi": {"codec": "mpeg4"},
    "mjpeg.avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p"},
    "hevc.mp4": {"codec": "libx265"},
}


@cache
def seeds() -> dict[str, bytes]:
    """Good clips of a few kilobytes in every container, by name."""
    with TemporaryDirectory() as folder:
        return {
            name: clips.face_clip(Path(folder) / name, seconds=0.4, size=SMALL, **writing).read_bytes()
            for name, writing in SEEDS.items()
        }


@dataclass(frozen=True, slots=True)
class Box:
    """A box of MP4 and MOV: where it begins and ends, and what it is called."""

    start: int
    end: int
    kind: bytes

    def word(self, content: bytes, number: int) -> int:
        """Where its 32-bit word of that number lies; past its end is no error."""
        return self.start + 8 + 4 * number


def boxes(content: bytes, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Every box, outer ones before those in them."""
    end = len(content) if end is None else end
    while start + 8 <= end:
        length, kind = struct.unpack_from(">I4s", content, start)
        if length < 8 or start + length > end:
            return
        yield Box(start, start + length, kind)
        if kind in CONTAINERS:
            yield from boxes(content, start + 8, start + length)
        start += length


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


FTYP = box(b"ftyp", b"isom\0\0\2\0isomiso2avc1mp41")


def with_word(content: bytes, at: int, value: int) -> bytes:
    """The same bytes with a 32-bit number written over some of them."""
    return content[:at] + struct.pack(">I", value)[: max(0, len(content) - at)] + content[at + 4 :]


def corpus() -> Iterator[tuple[str, bytes]]:
    """Hundreds of small files."""
    yield from cut_at_every_box()
    yield from with_absurd_sizes()
    yield from with_absurd_numbers()
    for name, make in MADE.items():
        yield name, make()


def cut_at_every_box() -> Iterator[tuple[str, bytes]]:
    for name in ("h264.mp4", "fragments.mp4"):
        content = seeds()[name]
        places = {
            at + shift for entry in boxes(content) for at in (entry.start, entry.end) for shift in (0, 6)
        }
        for at in sorted(places):
            yield f"{name}, cut at {at}", content[:at]


def with_absurd_sizes() -> Iterator[tuple[str, bytes]]:
    content = seeds()["h264.mp4"]
    for entry in boxes(content):
        for size in EXTREMES:
            kind = entry.kind.decode("latin-1")
            yield f"{kind} at {entry.start} of {size} bytes", with_word(content, entry.start, size)


def with_absurd_numbers() -> Iterator[tuple[str, bytes]]:
    """Time bases of nothing, ages of duration, tables of billions of entries, pictures without an end."""
    content = seeds()["h264.mp4"]
    for entry in boxes(content):
        if entry.kind not in NUMBERS:
            continue
        for number in NUMBERS[entry.kind]:
            for value in EXTREMES:
                kind = entry.kind.decode()
                yield (
                    f"{kind}, word {number}: {value}",
                    with_word(content, entry.word(content, number), value),
                )


NUMBERS: dict[bytes, tuple[int, ...]] = {
    b"mvhd": (3, 4),
    b"mdhd": (3, 4),
    b"tkhd": (5, 19, 20),
    b"elst": (1, 2, 3),
    b"stsd": (1, 2),
    b"stts": (1, 2, 3),
    b"ctts": (1, 2, 3),
    b"stss": (1, 2),
    b"stsc": (1, 2, 3, 4),
    b"stsz": (1, 2, 3),
    b"stco": (1, 2),
}
"""Which words of a box are time bases, durations, sizes, counts and offsets."""


# Files with one idea each


def nested() -> bytes:
    """Boxes in boxes in boxes."""
    found = b""
    for _ in range(20_000):
        found = (
            struct.pack(">I4s", min(0xFFFFFFFF, 8 + len(found)), b"moov") + found
            if len(found) < 160_000
            else found
        )
    return FTYP + found


def cyclic() -> bytes:
    """The table of chunks says that the pictures lie in the table itself, and the index behind it in it."""
    content = seeds()["h264.mp4"]
    (table,) = [entry for entry in boxes(content) if entry.kind == b"stco"][:1]
    return with_word(content, table.word(content, 2), table.start)


def overflowing() -> bytes:
    """A 64-bit size that leads back to the beginning."""
    return FTYP + struct.pack(">I4sQ", 1, b"free", (1 << 64) - len(FTYP)) + seeds()["h264.mp4"]


def endless_index() -> bytes:
    """An index without an end, of boxes of no size."""
    return FTYP + struct.pack(">I4s", 0, b"moov") + struct.pack(">I4s", 0, b"trak") * 1000


def compressed_index() -> bytes:
    """A compressed index that is a thousand times as large once it is read."""
    squeezer = zlib.compressobj(9)
    body = b"".join(squeezer.compress(bytes(1 << 20)) for _ in range(64)) + squeezer.flush()
    size = struct.pack(">I", 64 << 20)
    return FTYP + box(b"moov", box(b"cmov", box(b"dcom", b"zlib"), box(b"cmvd", size, body)))


def zip_bomb() -> bytes:
    """An archive of 64 MB of zeros, with another one's name."""
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("clip.mp4", "w", force_zip64=True) as inside,
    ):
        for _ in range(64):
            inside.write(bytes(1 << 20))
    return packed.getvalue()


def video_and_zip() -> bytes:
    """A good clip to players, an archive to archivers."""
    return seeds()["h264.mp4"] + zip_bomb()


def video_in_matroska_s_clothes() -> bytes:
    return b"\x1a\x45\xdf\xa3" + seeds()["h264.mp4"]


def page_and_video() -> bytes:
    """A page with a script to browsers that guess, a clip to players."""
    return FTYP + box(b"free", b"<!doctype html><script>alert(1)</script>") + seeds()["h264.mp4"][len(FTYP) :]


def many_streams() -> bytes:
    """An MP4 with ten thousand tracks."""
    content = seeds()["h264.mp4"]
    found = {entry.kind: entry for entry in reversed(list(boxes(content)))}
    header = content[found[b"mvhd"].start : found[b"mvhd"].end]
    track = content[found[b"trak"].start : found[b"trak"].end]
    media = content[found[b"mdat"].start : found[b"mdat"].end]
    return FTYP + box(b"moov", header, track * MANY) + media


def many_streams_in_matroska() -> bytes:
    """The one track entry of a clip, ten thousand times, each with a number of its own."""
    entry = b"\xae\x8e\xd7\x82%s\x83\x81\x01\x86\x85V_VP9"
    tracks = b"".join(entry % struct.pack(">H", number) for number in range(1, MANY))
    return EBML + b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" + b"\x16\x54\xae\x6b" + vint(tracks)


EBML = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x84webm"
EBML += b"\x42\x87\x81\x04\x42\x85\x81\x02"


def vint(body: bytes) -> bytes:
    """The body after its length in eight bytes."""
    return struct.pack(">Q", len(body) | 1 << 56) + body


def nested_in_matroska() -> bytes:
    """Tags in tags in tags."""
    found = b""
    for _ in range(2000):
        found = b"\x67\xc8" + vint(found)
    return EBML + b"\x18\x53\x80\x67" + vint(b"\x12\x54\xc3\x67" + vint(b"\x73\x73" + vint(found)))


def many_lists_in_avi() -> bytes:
    """Lists that say they are longer than what holds them."""
    return b"RIFF\xff\xff\xff\xffAVI " + b"LIST\xff\xff\xff\x7fhdrl" * MANY


def mixed_sizes() -> bytes:
    """A film whose every picture has another size, the last one of 41 megapixels."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "mixed.avi"
        with av.open(str(path), "w") as out:
            stream: Any = out.add_stream("mjpeg", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p"
            out.start_encoding()
            for number, side in enumerate((64, 512, 16, 2048, 64, 6400)):
                packet = av.Packet(_jpeg(side))
                packet.stream, packet.pts, packet.dts = stream, number, number
                packet.time_base, packet.is_keyframe = stream.time_base, True
                out.mux(packet)
        return path.read_bytes()


def _jpeg(side: int) -> bytes:
    encoder: Any = av.CodecContext.create("mjpeg", "w")
    encoder.width = encoder.height = side
    encoder.pix_fmt, encoder.time_base = "yuvj420p", Fraction(1, 25)
    frame = av.VideoFrame(side, side, "yuvj420p")
    for plane in frame.planes:
        plane.update(bytes([90]) * plane.buffer_size)
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def elsewhere(target: str) -> Iterator[tuple[str, bytes]]:
    """Files that say that their pictures lie at ``target``: a path or an address."""
    yield "concat", f"ffconcat version 1.0\nfile '{target}'\n".encode()
    yield "playlist", f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{target}\n#EXT-X-ENDLIST\n".encode()
    yield "manifest", f"<?xml version='1.0'?><MPD><BaseURL>{target}</BaseURL></MPD>".encode()
    session = f"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\na={target}\n"
    yield "session", session.encode()
    for name, text in (
        ("concat", f"ffconcat version 1.0\nfile '{target}'\n"),
        ("playlist", f"#EXTM3U\n{target}\n"),
    ):
        yield f"{name} in a box", FTYP + box(b"free", text.encode())
    yield "reference movie", FTYP + box(b"moov", box(b"rmra", box(b"rmda", _reference(target))))
    yield "data reference", _with_reference(target)


def _reference(target: str) -> bytes:
    address = target.encode() + b"\0"
    return box(b"rdrf", bytes(4), b"url ", struct.pack(">I", len(address)), address)


def _with_reference(target: str) -> bytes:
    """A clip whose pictures lie in another file, as MOV allows it."""
    content = seeds()["turned.mov"]
    (place,) = [entry for entry in boxes(content) if entry.kind == b"dref"][:1]
    alias = bytes(4) + b"\0" * 150 + struct.pack(">hh", 2, len(target)) + target.encode() + b"\xff\xff\0\0"
    entry = box(b"url ", bytes(4), target.encode() + b"\0") + box(b"alis", alias)
    grown = bytearray(
        content[: place.start] + box(b"dref", bytes(4), struct.pack(">I", 2), entry) + content[place.end :]
    )
    growth = len(grown) - len(content)
    for outer in boxes(content):
        if outer.start < place.start and outer.end >= place.end:
            struct.pack_into(">I", grown, outer.start, outer.end - outer.start + growth)
    return bytes(grown)


MADE: dict[str, Callable[[], bytes]] = {
    "nested boxes": nested,
    "cyclic chunks": cyclic,
    "overflowing size": overflowing,
    "endless index": endless_index,
    "compressed index": compressed_index,
    "zip bomb": zip_bomb,
    "video and zip": video_and_zip,
    "video in Matroska's clothes": video_in_matroska_s_clothes,
    "page and video": page_and_video,
    "ten thousand tracks": many_streams,
    "ten thousand Matroska tracks": many_streams_in_matroska,
    "nested Matroska tags": nested_in_matroska,
    "lists in AVI": many_lists_in_avi,
    "mixed sizes": mixed_sizes,
}


# What hypothesis makes


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good clip with a few things done to it."""
    content = seeds()[draw(st.sampled_from(sorted(SEEDS)))]
    for _ in range(draw(st.integers(1, 4))):
        content = draw(st.sampled_from(MUTATIONS))(draw, content)
    return content


def _place(draw: st.DrawFn, content: bytes) -> int:
    """More often near the beginning or the end, where the index lies."""
    last = max(0, len(content) - 1)
    near = draw(st.sampled_from((256, 1024, last)))
    at = draw(st.integers(0, min(last, near)))
    return at if draw(st.booleans()) else last - at


def _flip(draw: st.DrawFn, content: bytes) -> bytes:
    changed = bytearray(content)
    for _ in range(draw(st.integers(1, 16)) if changed else 0):
        changed[_place(draw, content)] ^= 1 << draw(st.integers(0, 7))
    return bytes(changed)


def _overwrite(draw: st.DrawFn, content: bytes) -> bytes:
    value = draw(st.one_of(st.sampled_from(EXTREMES), st.integers(0, 0xFFFFFFFF)))
    return with_word(content, _place(draw, content), value)


def _resize_box(draw: st.DrawFn, content: bytes) -> bytes:
    found = list(boxes(content))
    if not found:
        return _overwrite(draw, content)
    entry = draw(st.sampled_from(found))
    return with_word(content, entry.start, draw(st.sampled_from(EXTREMES)))


def _cut(draw: st.DrawFn, content: bytes) -> bytes:
    return content[: _place(draw, content)]


def _leave_out(draw: st.DrawFn, content: bytes) -> bytes:
    at = _place(draw, content)
    return content[:at] + content[at + draw(st.integers(1, 4096)) :]


def _repeat(draw: st.DrawFn, content: bytes) -> bytes:
    at, length = _place(draw, content), draw(st.integers(1, 4096))
    return content[:at] + content[at : at + length] * draw(st.integers(2, 50)) + content[at + length :]


def _splice(draw: st.DrawFn, content: bytes) -> bytes:
    """The beginning of one clip and the end of another."""
    other = seeds()[draw(st.sampled_from(sorted(SEEDS)))]
    return content[: _place(draw, content)] + other[_place(draw, other) :]


MUTATIONS = (_flip, _overwrite, _resize_box, _cut, _leave_out, _repeat, _splice)
