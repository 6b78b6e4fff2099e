"""Pictures after a pass through a video encoder."""

import io

import av
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]


def h264(images: list[Image], crf: int, preset: str = "ultrafast") -> list[Image]:
    """The images, all of one even size, after a pass through H.264 as consecutive frames of a clip."""
    memory = io.BytesIO()
    with av.open(memory, "w", format="matroska") as out:
        stream = out.add_stream(
            "libx264", rate=25, options={"crf": str(crf), "preset": preset, "threads": "1"}
        )
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for image in images:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")))
        out.mux(stream.encode())
    memory.seek(0)
    with av.open(memory, "r") as back:
        back.streams.video[0].codec_context.thread_count = 1  # starting threads costs more than a few frames
        return [np.asarray(f.to_ndarray(format="rgb24"), np.uint8) for f in back.decode(video=0)]
