"""Upload sessions that outlive requests and restarts: what was confirmed must still be there (U7, U10, U11)."""

import random
from dataclasses import dataclass

from .client import Client, stored_bytes
from .content import blob_bytes, digest_of


@dataclass(eq=False)
class Session:
    repo: str
    location: str
    seed: str
    size: int
    confirmed: int = 0            # a 202 promised these bytes
    sent: int = 0                 # no more than these can have arrived
    finishing: object = None      # the operation of a PUT that had no answer yet
    is_gone: bool = False         # rightly forgotten by the server

    @property
    def data(self) -> bytes:
        return blob_bytes(self.seed, self.size)

    @property
    def digest(self) -> str:
        return digest_of(self.data)

    def offset_seen(self, client: Client) -> int | None:
        """Asks where to go on (U7); None when the server does not know the session. An unclear `0-0` (no byte or
        one, U6) counts as no more than what was confirmed; `complete` tries the other meaning."""
        response = client.request("GET", self.location)
        if response.status == 404:
            return None
        if response.status != 204:
            raise AssertionError(f"GET of session {self.location}: {response.brief()}")
        low, high = stored_bytes(response)
        return max(low, min(high, self.confirmed))


def append_some(client: Client, session: Session, rng: random.Random) -> str | None:
    """Sends the next chunk; None when it was confirmed, else what was wrong."""
    start = session.sent
    end = min(session.size, start + rng.randint(1, max(1, session.size // 2)))
    if start == end:
        return None
    session.sent = end
    chunk = session.data[start:end]
    response = client.append(session.location, chunk, start if rng.random() < 0.5 else None)
    if response.status != 202:
        return f"PATCH {start}-{end - 1} of {session.size}: {response.brief()}"
    if end > 1 and response.header("range") != f"0-{end - 1}":
        return f"PATCH to {end} bytes answered Range {response.header('range')} (U6)"
    session.confirmed = end
    session.location = response.header("location") or session.location
    return None


def check_after_restart(client: Client, session: Session, after_power_loss: bool = False) -> str | None:
    """None when the promise held; the session then stands at the offset the server reported."""
    if session.finishing is not None:
        return _check_finishing(client, session)
    offset = session.offset_seen(client)
    if after_power_loss:   # storage 1.2: a session's 202 is no promise across a power cut; a lie about bytes still is
        if offset is not None and offset > session.sent:
            return f"session reports {offset} bytes, only {session.sent} were ever sent (U7)"
        session.sent = session.confirmed = offset or 0
        return None
    if offset is None and session.confirmed == 0:
        session.is_gone = True   # nothing was confirmed, so nothing was promised across a restart
        return None
    if offset is None:
        return f"session {session.location} with {session.confirmed} confirmed bytes is gone (U7)"
    if not session.confirmed <= offset <= session.sent:
        return f"session reports {offset} bytes; confirmed {session.confirmed}, sent {session.sent} (U7, U11)"
    session.sent = session.confirmed = offset
    return None


def _check_finishing(client: Client, session: Session) -> str | None:
    """The closing PUT, which carried no bytes, had no answer. Sent again it must succeed: either the session
    is still whole or its tombstone repeats the 201 (U10)."""
    response = client.finish(session.location, session.digest)
    if response.status != 201:
        return f"closing PUT sent again after the restart: {response.brief()} (U10)"
    return None


def complete(client: Client, session: Session) -> str | None:
    """Sends what is missing and closes; the digest check of the server covers every byte kept across restarts."""
    if session.sent < session.size:
        response = client.append(session.location, session.data[session.sent:], session.sent)
        if response.status == 416 and session.sent <= 1:
            session.sent = 1 - session.sent
            response = client.append(session.location, session.data[session.sent:], session.sent)
        if response.status != 202:
            return f"resume at {session.sent} of {session.size}: {response.brief()}"
        session.sent = session.confirmed = session.size
        session.location = response.header("location") or session.location
    response = client.finish(session.location, session.digest)
    return None if response.status == 201 else f"resumed session does not close: {response.brief()}"
