"""What the emulator reports about requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Optional


@dataclass(frozen=True)
class Request:
    """A request that has ended."""

    id: str
    """The value of `X-Request-Id`."""
    method: str
    path: str
    """The path without the query."""
    status: int
    """The status of the answer; 0 when there was none."""
    decision: Optional[str]
    """`allowed`, `public`, `preflight`, `unauthenticated`, `forbidden` or `out_of_scope`; None when
    access was not decided."""
    reason: str
    """A refusal in words, such as the term of a selector that does not match; else empty."""
    app_id: Optional[str]
    token_id: Optional[str]
    token_name: Optional[str]
    raw: Mapping[str, Any] = field(repr=False, compare=False)
    """All fields of the record."""

    @property
    def is_denied(self) -> bool:
        """Whether the gateway denied access."""
        return self.decision in ("unauthenticated", "forbidden", "out_of_scope")

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Request:
        """A record of the control API."""
        return cls(
            id=record["id"],
            method=record["method"],
            path=record["path"],
            status=record["status"],
            decision=record.get("decision"),
            reason=record.get("reason", ""),
            app_id=record.get("app"),
            token_id=record.get("token"),
            token_name=record.get("tokenName"),
            raw=record,
        )


@dataclass(frozen=True)
class Total:
    """The number of requests that have app, caller, decision and status in common."""

    count: int
    status: int
    decision: Optional[str]
    """As in `Request.decision`."""
    refused: Optional[str]
    """The kind of refusal, if the gateway answered itself."""
    caller: str
    """`token`, `user` or `anonymous`."""
    app_id: Optional[str]
    token_id: Optional[str]
    raw: Mapping[str, Any] = field(repr=False, compare=False)
    """All fields of the record."""

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Total:
        """A record of the control API."""
        return cls(
            count=record["count"],
            status=record["status"],
            decision=record.get("decision"),
            refused=record.get("refused"),
            caller=record["caller"],
            app_id=record.get("app"),
            token_id=record.get("token"),
            raw=record,
        )
