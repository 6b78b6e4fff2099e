"""``manage.py worker``: takes analyses from the queue, one at a time, until it is asked to end."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from redis.exceptions import RedisError
from rq.exceptions import StopRequested

from analyses.inference import supervisor
from analyses.log_context import be_part
from analyses.presence import present
from analyses.scratch import remove_gone_folders, remove_own_folder
from analyses.worker import make_worker

RETRY_S = 2.0


class Command(BaseCommand):
    help = "Analyse what is on the queue, until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--burst", action="store_true", help="end when the queue is empty")

    def handle(self, *args: Any, **options: Any) -> None:
        be_part("worker")
        supervisor().start()
        try:
            with present():
                remove_gone_folders()
                while not self._work(burst=options["burst"]):
                    time.sleep(RETRY_S)
        except (KeyboardInterrupt, StopRequested):
            pass
        finally:
            supervisor().close()
            remove_own_folder()

    def _work(self, *, burst: bool) -> bool:
        """Work until asked to end (True) or until the broker fails (False)."""
        try:
            make_worker().work(burst=burst)
        except RedisError as error:
            self.stderr.write(f"The broker can't be reached: {error}")
            return False
        return burst or supervisor().interrupted
