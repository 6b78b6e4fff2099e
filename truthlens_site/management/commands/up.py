"""``manage.py up``: the whole site in one foreground process."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connections

from accounts.services import create_first_administrator
from analyses.log_context import be_part
from truthlens_site import parts
from truthlens_site.address import AddressError, answers, check_free, link
from truthlens_site.broker import BrokerError, broker_answers, make_folders
from truthlens_site.delivering import start_delivering
from truthlens_site.lock import AlreadyRunning, only_one
from truthlens_site.reconciling import start_reconciling
from truthlens_site.supervisor import Supervisor

START_WITHIN_S = 30.0


class Command(BaseCommand):
    help = "Runs the whole site: broker, worker and web server. Ctrl-C ends all of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (%(default)s)")

    def handle(self, *, host: str, port: int, **options: Any) -> None:
        be_part("up")
        try:
            with only_one(settings.STATE / "up.lock"):
                check_free(host, port)
                supervisor = Supervisor(self.say)
                supervisor.listen()
                self.prepare()
                self.run(supervisor, host, port)
        except AlreadyRunning as error:
            raise CommandError(f"TruthLens already runs on {settings.STATE} (process {error.pid}).") from None
        except (AddressError, BrokerError) as error:
            raise CommandError(str(error)) from None
        except DatabaseError as error:
            raise CommandError(f"The database can't be used: {str(error).strip()}") from None

    def prepare(self) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        self.welcome()
        if not settings.DEBUG:
            call_command("collectstatic", interactive=False, verbosity=0)
        connections.close_all()

    def welcome(self) -> None:
        """Make the first administrator; a password made here is shown this once."""
        email, chosen = settings.ADMIN_EMAIL, settings.ADMIN_PASSWORD
        try:
            made = create_first_administrator(email=email, password=chosen)
        except ValidationError as error:
            raise CommandError(f"The first administrator can't be made: {' '.join(error.messages)}") from None
        if made is None:
            return
        user, password = made
        shown = "with the password you set" if chosen else f"password {password} (shown this once)"
        self.say(f"Made the first administrator: {user.email}, {shown}.")

    def run(self, supervisor: Supervisor, host: str, port: int) -> None:
        try:
            if not self.start_broker(supervisor):
                return
            supervisor.start(parts.worker(link(host, port)))
            start_reconciling(supervisor.stopping)
            start_delivering(supervisor.stopping)
            supervisor.start(parts.web(host, port))
            if supervisor.watch(lambda: answers(host, port), seconds=START_WITHIN_S):
                self.say(f"TruthLens is ready: {link(host, port)} (Ctrl-C ends it)")
            elif not supervisor.stopping.is_set():
                self.say("The web server is slow to start; it will be at " + link(host, port))
            supervisor.watch()
        finally:
            supervisor.stopping.set()
            self.say("Stopping.")
            supervisor.end()
            self.say("Stopped.")

    def start_broker(self, supervisor: Supervisor) -> bool:
        """Whether there is a broker to go on with; not where the site was told to end meanwhile."""
        if settings.EMBEDDED_BROKER:
            make_folders(settings.BROKER_SOCKET, settings.STATE / "valkey")
            supervisor.start(parts.broker())
        answered = supervisor.watch(lambda: broker_answers(settings.REDIS_URL), seconds=START_WITHIN_S)
        if not answered and not supervisor.stopping.is_set():
            hint = "see var/valkey/valkey.log" if settings.EMBEDDED_BROKER else "check REDIS_URL"
            raise BrokerError(f"The broker did not answer within {START_WITHIN_S:.0f} seconds; {hint}.")
        return answered

    def say(self, sentence: str) -> None:
        self.stdout.write(sentence)
        self.stdout.flush()
