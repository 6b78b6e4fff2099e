"""The queue's jobs: an analysis, the playable copy that a lost worker left unmade, an export, a letter."""

import logging
from functools import partial
from pathlib import Path
from uuid import UUID

from django.core.files.base import File

from analyses import claims, export_services
from analyses.account_data import write_account_data
from analyses.detection import AnalysisError, AnalysisResult, Failure, config_for
from analyses.export_writing import write_export
from analyses.heartbeat import Heartbeat
from analyses.inference import analyze_in_child, playable_copy
from analyses.log_context import ANALYSIS, bound
from analyses.models import Analysis
from analyses.moderation.notices import send_letter
from analyses.patience import MACHINE_FAULTS, patiently
from analyses.presence import WORKER
from analyses.storage import StorageAway, on_disk
from analyses.supervision import ChildLost, Interrupted

logger = logging.getLogger(__name__)

COUNTED = (Failure.CRASHED, Failure.TIMED_OUT)
"""The clip killed or overran the process that decodes or scores it; it gets one more attempt."""


def run_analysis(uuid: str) -> None:
    """Claim, analyse, record. A second delivery finds nothing to claim and does nothing."""
    analysis = claims.claim(uuid=UUID(uuid), worker=WORKER)
    if analysis is not None:
        with bound({ANALYSIS: uuid}):
            run_to_its_end(analysis)


def run_to_its_end(analysis: Analysis) -> None:
    logger.info("The analysis begins, attempt %d.", analysis.attempts + 1)
    try:
        run_claimed(analysis)
    except Interrupted:
        patiently(partial(claims.release, analysis=analysis))
    except StorageAway as error:
        logger.error("The analysis waits for the storage: %s", error)
        patiently(partial(claims.release, analysis=analysis))
    except (ChildLost, *MACHINE_FAULTS) as error:
        logger.error("The analysis goes back to the queue: %r", error)
        patiently(partial(claims.requeue_lost, analysis=analysis))
    except Exception:
        claims.record_failure(analysis=analysis, code=Failure.CRASHED)
        raise


def run_copy(uuid: str) -> None:
    """Make the copy that browsers can play, where it is still missing."""
    analysis = claims.take_over_copy(uuid=UUID(uuid), worker=WORKER)
    if analysis is None:
        return
    try:
        with on_disk(analysis.video.file, lambda: False) as path:
            make_proxy(analysis, path)
    except (AnalysisError, StorageAway) as error:
        logger.warning("No playable copy of the video of analysis %s: %s", uuid, error)
        claims.set_proxy_due(video=analysis.video, due=False)


def run_export(uuid: str) -> None:
    """Claim, write, record. A second delivery finds nothing to claim and does nothing."""
    export = export_services.claim_export(uuid=UUID(uuid), worker=WORKER)
    if export is None:
        return
    try:
        if export.is_archive:
            write_account_data(export)
        else:
            write_export(export)
    except MACHINE_FAULTS as error:
        logger.error("Export %s goes back to the queue: %r", uuid, error)
        patiently(partial(export_services.requeue_lost_export, export=export))
    except Exception:
        export_services.record_export_failure(export=export)
        raise


def run_notice(uuid: str) -> None:
    send_letter(UUID(uuid))


def run_claimed(analysis: Analysis) -> None:
    try:
        with on_disk(analysis.video.file, Heartbeat(analysis).should_stop) as path:
            run_on_disk(analysis, path)
    except AnalysisError as error:
        record_error(analysis, error)


def run_on_disk(analysis: Analysis, path: Path) -> None:
    result = judged(analysis, path)
    if result is None:
        return
    if patiently(partial(record, analysis, result)):
        logger.info("The analysis is done: %s.", result.verdict)
        make_proxy(analysis, path)


def judged(analysis: Analysis, path: Path) -> AnalysisResult | None:
    """What came out of the last attempt; None: it failed, and that is recorded."""
    heart = Heartbeat(analysis)
    try:
        return analyze_in_child(
            path,
            config=config_for(analysis.backbone, stability=analysis.stability),
            on_progress=heart.on_progress,
            on_scores=heart.on_scores,
            should_stop=heart.should_stop,
        )
    except AnalysisError as error:
        return judged(analysis, path) if record_error(analysis, error) else None


def record(analysis: Analysis, result: AnalysisResult) -> bool:
    """False: the analysis is no longer ours."""
    claims.set_proxy_due(video=analysis.video, due=True)
    return claims.record_result(analysis=analysis, result=result)


def record_error(analysis: Analysis, error: AnalysisError) -> bool:
    """True: the clip gets another attempt."""
    logger.warning("The analysis failed: %s", error)
    if error.code in COUNTED:
        return claims.record_attempt(analysis=analysis, code=error.code)
    claims.record_failure(analysis=analysis, code=error.code)
    return False


def make_proxy(analysis: Analysis, path: Path) -> None:
    """Of the file at ``path``. The result stands already, so whatever goes wrong only costs the player.

    A worker that ends meanwhile leaves it to the next one.
    """
    video = analysis.video
    if video.proxy:
        claims.set_proxy_due(video=video, due=False)
        return
    try:
        with playable_copy(path) as copy:
            if copy is not None:
                with copy.open("rb") as stream:
                    claims.record_proxy(video=video, proxy=File(stream))
    except Interrupted:
        return
    except Exception:
        logger.exception("No playable copy of the video of analysis %s", analysis.uuid)
    patiently(partial(claims.set_proxy_due, video=video, due=False))
