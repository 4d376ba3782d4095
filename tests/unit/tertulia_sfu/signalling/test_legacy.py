"""The older signalling: a query becomes a join request."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from livekit.protocol.models import ClientInfo

from tertulia_sfu.errors import InvalidRequest
from tertulia_sfu.signalling.legacy import join_request_of


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def test_a_query_describes_a_join() -> None:
    request = join_request_of(
        {
            "sdk": "go",
            "version": "2.4.0",
            "protocol": "15",
            "client_protocol": "1",
            "auto_subscribe": "0",
            "adaptive_stream": "1",
            "capabilities": "CAP_PACKET_TRAILER,CAP_UNHEARD_OF",
            "attributes": encoded({"mood": "¿?"}).rstrip("="),
            "reconnect": "true",
            "sid": "PA_x",
        }
    )
    client, settings = request.client_info, request.connection_settings
    assert (client.sdk, client.version, client.protocol, client.client_protocol) == (ClientInfo.GO, "2.4.0", 15, 1)
    assert list(client.capabilities) == [ClientInfo.CAP_PACKET_TRAILER]
    assert (settings.auto_subscribe, settings.adaptive_stream) == (False, True)
    assert (request.reconnect, request.participant_sid) == (True, "PA_x")
    assert dict(request.participant_attributes) == {"mood": "¿?"}


def test_what_is_absent_or_strange() -> None:
    request = join_request_of({})
    assert (request.connection_settings.auto_subscribe, request.reconnect, request.client_info.protocol) == (
        True,
        False,
        0,
    )
    for text in ("-1", "9" * 20, "²", "x"):
        assert join_request_of({"protocol": text}).client_info.protocol == 0


@pytest.mark.parametrize("text", ["%", "ä", encoded([1]), encoded({"a": 1}), "[" * 100_000, encoded("text")])
def test_attributes_that_cannot_be_read(text: str) -> None:
    with pytest.raises(InvalidRequest):
        join_request_of({"attributes": text})


@given(st.dictionaries(st.sampled_from(["protocol", "attributes", "capabilities", "sdk", "reconnect"]), st.text()))
def test_any_query_is_read_or_refused(query: dict[str, str]) -> None:
    try:
        join_request_of(query)
    except InvalidRequest:
        assert query["attributes"]
