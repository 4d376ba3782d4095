"""`GET /console/status`: how the installation is, for administrators, on both databases."""

from __future__ import annotations

from importlib.metadata import version

from support.rest import RestServer


def test_status(server: RestServer):
    found = server.internal("GET", "/console/status", bearer=server.log_in()["accessToken"]).json()
    assert found["version"] == version("tertulia")
    assert found["ready"] is True
    kind = "postgresql" if server.database_url.startswith("postgresql") else "sqlite"
    assert found["database"] == {"state": "ok", "kind": kind}
    assert 0 < found["disk"]["free"] < found["disk"]["total"]
    assert (found["media"]["state"], found["media"]["embedded"]) == ("ok", True)
    assert found["media"]["participants"] >= 0
    assert found["recorders"]["capacity"] >= 1
