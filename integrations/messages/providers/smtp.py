"""Mail through an SMTP server, always encrypted unless the operator says it is on this machine."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from integrations.hub.connector import Field
from integrations.hub.errors import Misconfigured, OutcomeUnknown, Rejected, Scope, TryAgain
from integrations.hub.values import Done, Health, Ref
from integrations.messages.base import Letter, Messages
from integrations.messages.mime import message

SECONDS = 25
SECURITIES = ("starttls", "tls", "none")


class SmtpMessages(Messages):
    """`security`: `starttls` (default), `tls`, or `none` for a relay on this machine."""

    name = "smtp"
    label = "SMTP server"
    checks = "connects and signs in; no mail is sent"
    fields = (
        Field("host", "Host"),
        Field("port", "Port", default="587"),
        Field("security", "Security: starttls, tls or none", default="starttls"),
        Field("user", "User", required=False),
        Field("password", "Password", secret=True, required=False),
    )
    identity = ("host", "user")

    def health(self) -> Health:
        with self._session() as server:
            try:
                server.noop()
            except (smtplib.SMTPException, OSError) as error:
                raise self._unreachable(error) from None
        return Health()

    def send(self, letter: Letter) -> Done:
        mail = message(letter, self.now())
        with self._session() as server:
            try:
                server.send_message(mail)
            except smtplib.SMTPRecipientsRefused as error:
                raise Rejected(f"The server refuses the address: {error.recipients!r}.") from None
            except smtplib.SMTPResponseException as error:
                raise self._refused(error) from None
            except smtplib.SMTPNotSupportedError as error:
                raise Rejected(f"The server does not take such a letter: {error}.") from None
            except (smtplib.SMTPException, OSError):
                raise OutcomeUnknown("The connection broke while the mail was handed over.") from None
        return Done(refs=(Ref(letter.message_id),))

    @staticmethod
    def _refused(error: smtplib.SMTPResponseException) -> TryAgain | Rejected:
        words = f"The server says {error.smtp_code}."
        return TryAgain(words) if 400 <= error.smtp_code < 500 else Rejected(words)

    @contextmanager
    def _session(self) -> Iterator[smtplib.SMTP]:
        """Signed in. How the server takes our farewell changes nothing of what was said before."""
        server = self._open()
        try:
            yield server
        finally:
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
            server.close()

    def _open(self) -> smtplib.SMTP:
        host, port = self.settings["host"], self.settings.get("port") or "587"
        security = self.settings.get("security") or "starttls"
        if not port.isdecimal() or security not in SECURITIES:
            raise Misconfigured("The port is a number, and the security starttls, tls or none.")
        context = ssl.create_default_context()
        try:
            if security == "tls":
                server: smtplib.SMTP = smtplib.SMTP_SSL(host, int(port), timeout=SECONDS, context=context)
            else:
                server = smtplib.SMTP(host, int(port), timeout=SECONDS)
                if security == "starttls":
                    server.starttls(context=context)
            if user := self.settings.get("user"):
                server.login(user, self.settings.get("password", ""))
        except smtplib.SMTPAuthenticationError:
            raise Misconfigured("The mail server refuses this user and password.") from None
        except (smtplib.SMTPException, OSError) as error:
            raise self._unreachable(error) from None
        return server

    @staticmethod
    def _unreachable(error: Exception) -> TryAgain:
        return TryAgain(f"The mail server cannot be reached: {type(error).__name__}.", scope=Scope.ACCOUNT)
