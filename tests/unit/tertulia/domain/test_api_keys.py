"""Which secrets of a key count."""

from __future__ import annotations

from tertulia.domain.api_keys import ApiKey
from tertulia.domain.ids import ApiKeyId, Millis


def test_the_secret_before_counts_until_its_end():
    rotated = ApiKey(id=ApiKeyId("k"), digest="new", previous_digest="old", previous_until_ms=Millis(10))
    assert rotated.digests(Millis(9)) == ("new", "old")
    assert rotated.digests(Millis(10)) == ("new",)
    assert (rotated.previous_end_ms(Millis(9)), rotated.previous_end_ms(Millis(10))) == (10, None)


def test_a_key_without_a_secret_of_its_own():
    assert ApiKey(id=ApiKeyId("k")).digests(Millis(0)) == ()
