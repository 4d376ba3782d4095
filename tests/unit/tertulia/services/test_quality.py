"""Who may be asked about: rooms that exist; what is not known is no error."""

from __future__ import annotations

import pytest

from support.services import Installation
from tertulia.app.telemetry import EmbeddedTelemetry
from tertulia.errors import NotFound
from tertulia.services.quality import QualityService


async def test_only_of_rooms_that_exist(inst: Installation):
    service = QualityService(store=inst.store, clock=inst.clock, telemetry=EmbeddedTelemetry())
    with pytest.raises(NotFound):
        await service.in_room("nowhere")
    assert await service.in_room(inst.room.name) == []
