"""What a container says of its own making. Runs in the limited child."""

import json
import os
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any

from av.container import InputContainer
from av.stream import Stream

LONGEST_NAME, LONGEST_VALUE = 60, 160
MOST_STREAMS, MOST_TAGS, MOST_TOOLS = 8, 32, 8
TAGS_ROOM = 20_000
"""Bytes of the message to the parent that tags may take."""
MOST_BOXES = 100_000
C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
TOOLS = {
    "lavf": "FFmpeg or a program that uses it",
    "lavc": "FFmpeg or a program that uses it",
    "handbrake": "HandBrake",
    "premiere": "Adobe Premiere",
    "after effects": "Adobe After Effects",
    "adobe media encoder": "Adobe Media Encoder",
    "davinci": "DaVinci Resolve",
    "blackmagic": "DaVinci Resolve",
    "final cut": "Final Cut Pro",
    "imovie": "iMovie",
    "capcut": "CapCut",
    "inshot": "InShot",
    "kinemaster": "KineMaster",
    "vegas": "VEGAS",
    "kdenlive": "Kdenlive",
    "shotcut": "Shotcut",
    "openshot": "OpenShot",
    "avidemux": "Avidemux",
    "virtualdub": "VirtualDub",
    "mkvmerge": "MKVToolNix",
    "gpac": "GPAC",
    "bento": "Bento4",
    "obs": "OBS Studio",
    "produced by google": "a Google service such as YouTube",
    "facefusion": "FaceFusion, which swaps faces",
    "deepfacelive": "DeepFaceLive, which swaps faces",
    "deepfacelab": "DeepFaceLab, which swaps faces",
    "roop": "roop, which swaps faces",
    "runway": "Runway, which generates video",
    "sora": "Sora, which generates video",
}
"""Marks, as words in lower case, and the programs that leave them."""
TOOL_TAGS = ("encoder", "software", "tool", "handler", "application", "vendor", "producer")
"""Parts of the names of tags in which programs leave their marks; a title or a comment may say anything."""

Tag = tuple[str, str, str]


def container_facts(container: InputContainer) -> dict[str, Any]:
    """Brand, creation date, streams, tags and the tools that they name, as short plain texts."""
    streams = list(container.streams)[:MOST_STREAMS]
    tags = [tag for place, source in places(container, streams) for tag in tags_of(place, source)][:MOST_TAGS]
    while len(json.dumps(tags)) > TAGS_ROOM:
        tags.pop()
    metadata = container.metadata
    return {
        "brand": plain(metadata.get("major_brand", "")),
        "created": plain(metadata.get("creation_time", "") or metadata.get("date", "")),
        "streams": [stream_facts(stream) for stream in streams],
        "tags": tags,
        "tools": tools_of(tags),
    }


def places(container: InputContainer, streams: list[Stream]) -> Iterator[tuple[str, Mapping[str, str]]]:
    yield "container", container.metadata
    for number, stream in enumerate(streams, 1):
        yield f"{kind_of(stream)} {number}", stream.metadata


def tags_of(place: str, metadata: Mapping[str, str]) -> Iterator[Tag]:
    for name, value in metadata.items():
        shown = plain(value)
        if shown:
            yield place, plain(name, LONGEST_NAME), shown


def stream_facts(stream: Stream) -> tuple[str, str, str]:
    context: Any = stream.codec_context
    codec = plain(context.name if context is not None else "", LONGEST_NAME)
    return kind_of(stream), codec, ", ".join(details_of(stream, context))


def kind_of(stream: Stream) -> str:
    return plain(str(stream.type or "data"), 20)


def details_of(stream: Any, context: Any) -> Iterator[str]:
    if context is not None and getattr(context, "profile", None):
        yield plain(f"profile {context.profile}", 40)
    if stream.type == "video" and context is not None:
        yield f"{context.width} × {context.height}"
        yield plain(context.pix_fmt or "unknown pixels", 20)
    if stream.type == "audio" and context is not None:
        yield f"{context.sample_rate} Hz"
        yield f"{context.channels} channel{'' if context.channels == 1 else 's'}"
    rate = getattr(context, "bit_rate", None)
    if rate:
        yield f"{round(rate / 1000)} kbit/s"


def tools_of(tags: list[Tag]) -> list[str]:
    """Programs whose marks stand where programs leave them, each once."""
    values = (value.lower() for _, name, value in tags if any(part in name.lower() for part in TOOL_TAGS))
    letters = "".join(sign if sign.isalpha() else " " for sign in " | ".join(values))
    words = f" {' '.join(letters.split())} "
    return list(dict.fromkeys(tool for mark, tool in TOOLS.items() if f" {mark} " in words))[:MOST_TOOLS]


def plain(text: str, most: int = LONGEST_VALUE) -> str:
    """On one line, without invisible characters, not too long."""
    seen = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text[: 4 * most])
    short = " ".join(seen.split())
    return short if len(short) <= most else f"{short[: most - 1]}…"


def holds_credentials(descriptor: int, container: str) -> bool:
    """Whether an MP4, MOV or AVI has the box that Content Credentials lie in, which is an outermost one."""
    if container in ("mp4", "mov"):
        return any(kind == b"uuid" and name == C2PA_BOX for kind, name in boxes(descriptor))
    return container == "avi" and b"C2PA" in chunks(descriptor)


def boxes(descriptor: int) -> Iterator[tuple[bytes, bytes]]:
    """Kind and the first 16 bytes of each outermost box."""
    at, size = 0, os.fstat(descriptor).st_size
    for _ in range(MOST_BOXES):
        head = os.pread(descriptor, 32, at)
        if at >= size or len(head) < 8:
            return
        length, begin = int.from_bytes(head[:4], "big"), 8
        if length == 1:
            length, begin = int.from_bytes(head[8:16], "big"), 16
        yield head[4:8], head[begin : begin + 16]
        if length < begin:  # 0 means until the end of the file
            return
        at += length


def chunks(descriptor: int) -> Iterator[bytes]:
    """Names of the chunks in the file's outermost list."""
    at, size = 12, os.fstat(descriptor).st_size
    for _ in range(MOST_BOXES):
        head = os.pread(descriptor, 8, at)
        if at >= size or len(head) < 8:
            return
        yield head[:4]
        length = int.from_bytes(head[4:], "little")
        at += 8 + length + length % 2
