"""The HTTP/1.1 protocol of our port: uvicorn's, with errors as ours even for what is no HTTP at all."""

from __future__ import annotations

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class JsonHttpProtocol(HttpToolsProtocol):
    """Answers bytes that are no request with the same kind of body as everything else."""

    def send_400_response(self, msg: str) -> None:
        """Refuse the connection's bytes and close it."""
        body = orjson.dumps({"code": "invalid_http", "message": msg})
        head = (
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
