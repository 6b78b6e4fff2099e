"""The same work on many things, by several processes of one core each."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import cv2
import torch
from tqdm import tqdm

Job = TypeVar("Job")
Made = TypeVar("Made")


def one_core() -> None:
    """From now on this process computes on one core: the others have work of their own."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)


def worked(
    work: Callable[[Job], Made], jobs: Sequence[Job], processes: int, title: str, chunk: int = 1
) -> Iterator[Made]:
    """What ``work`` makes of each job, in order, with a progress bar. One process is this one."""
    with tqdm(total=len(jobs), desc=title, disable=None) as bar:
        if processes == 1:
            one_core()
            for job in jobs:
                yield work(job)
                bar.update()
            return
        with multiprocessing.get_context("spawn").Pool(processes, one_core) as pool:
            for made in pool.imap(work, jobs, chunk):
                yield made
                bar.update()
