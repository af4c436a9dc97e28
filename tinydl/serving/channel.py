"""A connection with a deadline for everything, and a bound on what may come in."""

from __future__ import annotations

import io
import socket
from contextlib import suppress
from time import monotonic
from typing import Any


class TooLong(Exception):
    """More bytes came than were allowed."""


class Channel(io.RawIOBase):
    """Bytes of a socket, in and out, until `deadline` (of `monotonic`); then TimeoutError.

    A socket's own timeout begins anew with every byte, so that a client could make an exchange last
    for hours. `allowed`: how many bytes may still come in; TooLong beyond.
    """

    def __init__(self, connection: socket.socket, seconds: float, allowed: int) -> None:
        super().__init__()
        self.connection, self.allowed = connection, allowed
        self.deadline = monotonic() + seconds

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def _wait_at_most(self, until: float) -> None:
        left = until - monotonic()
        if left <= 0:
            raise TimeoutError("the exchange has lasted too long")
        self.connection.settimeout(left)

    def readinto(self, buffer: Any) -> int:
        if self.allowed <= 0:
            raise TooLong
        room = memoryview(buffer)[: self.allowed]
        self._wait_at_most(self.deadline)
        count = self.connection.recv_into(room)
        self.allowed -= count
        return count

    def write(self, data: Any) -> int:
        self._wait_at_most(self.deadline)
        self.connection.sendall(data)  # whose timeout is one for all bytes
        return len(data)

    def drain(self, seconds: float, most: int) -> None:
        """Take what the other side still sends, for a while: a connection that is closed with
        bytes unread is reset, and the answer may be lost with it."""
        until = min(self.deadline, monotonic() + seconds)
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            waste = bytearray(1 << 16)
            while most > 0:
                self._wait_at_most(until)
                count = self.connection.recv_into(waste)
                if not count:
                    break
                most -= count
