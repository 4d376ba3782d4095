"""Documented answers that many operations share."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel

from tertulia.http.kit.operations import ERROR_TEXT, Answer


def errors(*statuses: int) -> dict[int, Answer]:
    """Document refusals; every operation may also fail inside."""
    return {status: Answer(ERROR_TEXT[status], Problem) for status in (*statuses, 500)}


def one(
    description: str, model: type[BaseModel], *statuses: int, headers: tuple[str, ...] = ()
) -> Mapping[int, Answer]:
    """Document an operation that answers one thing."""
    return {200: Answer(description, model, headers=headers), **errors(*statuses)}


def many(description: str, model: type[BaseModel], *statuses: int) -> Mapping[int, Answer]:
    """Document an operation that answers a bare array."""
    headers = ("X-Next-Page-Token", "Link")
    return {200: Answer(description, model, is_list=True, headers=headers), **errors(*statuses)}


def nothing(description: str, *statuses: int) -> Mapping[int, Answer]:
    """Document an operation that answers 204."""
    return {204: Answer(description), **errors(*statuses)}


class ProblemDetail(BaseModel):
    """One wrong field."""

    field: str | None = None
    message: str | None = None


class Problem(BaseModel):
    """A refused request."""

    message: str
    code: str | None = None
    name: str | None = None
    error: str | None = None
    details: list[ProblemDetail] | None = None
    requestId: str | None = None
