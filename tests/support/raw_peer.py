"""A WebRTC peer made by hand, which can send what no library would: any RTP, RTCP, SCTP and data inside its session.

It does no more than it needs: ICE against one address of a lite agent (RFC 8445), DTLS as the client (RFC 6347), keys
for SRTP (RFC 5764), an SCTP association (RFC 9260) with the two data channels of LiveKit's clients (RFC 8832).
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import hmac
import os
import re
import struct
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, cast

import aiohttp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from livekit.protocol.models import TrackSource, TrackType, VideoLayer, VideoQuality
from livekit.protocol.rtc import AddTrackRequest, SessionDescription, SignalRequest
from OpenSSL import SSL
from pylibsrtp import Error, Policy, Session

from support.signal_connection import receive

UFRAG: Final = "rawp"
PASSWORD: Final = "a-password-of-the-raw-peer"
DEADLINE_S: Final = 10
ANSWERED_S: Final = 0.3
AUDIO, VIDEO, RTX = 111, 96, 97
SSRCS: Final = {"audio": 1000, "q": 2000, "h": 2001, "f": 2002}
EXTENSIONS: Final = {
    1: "urn:ietf:params:rtp-hdrext:sdes:mid",
    2: "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    3: "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    4: "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    5: "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    6: "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    7: "urn:3gpp:video-orientation",
}
_PROFILES: Final = {
    b"SRTP_AES128_CM_SHA1_80": (Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
    b"SRTP_AEAD_AES_128_GCM": (Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
}


def _certificate() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "raw peer")])
    day, now = dt.timedelta(days=1), dt.datetime.now(dt.UTC)  # noqa: TID251
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
    return builder.sign(key, hashes.SHA256()), key


def offer_of(fingerprint: str, *, receives: bool = False) -> str:
    """Return an offer of a microphone, a camera in three layers, and the data channels.

    `receives`: and of room for the microphone and the camera of another participant.
    """
    transport = [
        "c=IN IP4 0.0.0.0", f"a=ice-ufrag:{UFRAG}", f"a=ice-pwd:{PASSWORD}", f"a=fingerprint:sha-256 {fingerprint}",
        "a=setup:actpass",
    ]  # fmt: skip
    extensions = [f"a=extmap:{number} {uri}" for number, uri in EXTENSIONS.items()]
    media = [*transport, "a=rtcp-mux", *extensions]
    audio = [f"m=audio 9 UDP/TLS/RTP/SAVPF {AUDIO}", *media, f"a=rtpmap:{AUDIO} opus/48000/2"]
    video = [
        f"m=video 9 UDP/TLS/RTP/SAVPF {VIDEO} {RTX}", *media, f"a=rtpmap:{VIDEO} VP8/90000",
        f"a=rtcp-fb:{VIDEO} nack", f"a=rtcp-fb:{VIDEO} nack pli", f"a=rtcp-fb:{VIDEO} ccm fir",
        f"a=rtcp-fb:{VIDEO} transport-cc", f"a=rtpmap:{RTX} rtx/90000", f"a=fmtp:{RTX} apt={VIDEO}",
    ]  # fmt: skip
    received = [*audio, "a=mid:3", "a=recvonly", *video, "a=mid:4", "a=recvonly"] if receives else []
    lines = [
        "v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "t=0 0", f"a=group:BUNDLE 0 1 2{' 3 4' if receives else ''}",
        "a=msid-semantic: WMS *",
        *audio, "a=mid:0", "a=sendonly", "a=msid:stream mic", f"a=ssrc:{SSRCS['audio']} cname:raw",
        *video, "a=mid:1", "a=sendonly", "a=msid:stream cam", "a=rid:q send", "a=rid:h send", "a=rid:f send",
        "a=simulcast:send q;h;f",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", *transport, "a=mid:2", "a=sctp-port:5000",
        "a=max-message-size:262144", *received, "",
    ]  # fmt: skip
    return "\r\n".join(lines)


# ── STUN ──


def stun_attribute(kind: int, value: bytes) -> bytes:
    """Return one attribute, padded."""
    return struct.pack(">HH", kind, len(value)) + value + bytes(-len(value) % 4)


def binding_request(username: str, password: str) -> bytes:
    """Return a connectivity check that nominates its pair."""
    body = stun_attribute(0x0006, username.encode()) + stun_attribute(0x0024, struct.pack(">I", 2**31 - 1))
    body += stun_attribute(0x802A, os.urandom(8)) + stun_attribute(0x0025, b"")
    transaction = os.urandom(12)

    def head(size: int) -> bytes:
        return struct.pack(">HHI", 1, size, 0x2112A442) + transaction

    digest = hmac.new(password.encode(), head(len(body) + 24) + body, hashlib.sha1).digest()
    body += stun_attribute(0x0008, digest)
    crc = zlib.crc32(head(len(body) + 8) + body) ^ 0x5354554E
    return head(len(body) + 8) + body + stun_attribute(0x8028, struct.pack(">I", crc))


# ── SCTP ──


def _crc32c_table() -> list[int]:
    table = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)  # noqa: PLW2901
        table.append(number)
    return table


_TABLE: Final = _crc32c_table()


def crc32c(data: bytes) -> int:
    """Return the checksum of SCTP."""
    value = 0xFFFFFFFF
    for byte in data:
        value = _TABLE[(value ^ byte) & 255] ^ value >> 8
    return value ^ 0xFFFFFFFF


def sctp_packet(tag: int, chunks: bytes) -> bytes:
    """Return a packet with the right checksum."""
    head = struct.pack(">HHI", 5000, 5000, tag)
    checksum = struct.pack("<I", crc32c(head + bytes(4) + chunks))
    return head + checksum + chunks


def chunk(kind: int, flags: int, value: bytes) -> bytes:
    """Return one chunk, padded."""
    return struct.pack(">BBH", kind, flags, 4 + len(value)) + value + bytes(-len(value) % 4)


_DATA, _INIT, _INIT_ACK, _SACK, _HEARTBEAT, _HEARTBEAT_ACK, _COOKIE_ECHO, _COOKIE_ACK = 0, 1, 2, 3, 4, 5, 10, 11
DCEP, BINARY = 50, 53
LABELS: Final = ("_reliable", "_lossy")


def channel_open(label: str) -> bytes:
    """Return the message that opens a channel."""
    return struct.pack(">BBHIHH", 3, 0, 0, 0, len(label), 0) + label.encode()


class RawPeer(asyncio.DatagramProtocol):
    """The media side of a participant, connected. `profiles`: those of SRTP that it knows, the first one preferred."""

    def __init__(self, profiles: Sequence[bytes] = tuple(_PROFILES)) -> None:
        self.remote_ufrag = self.remote_password = ""
        self.fatal: list[str] = []
        self._transport: asyncio.DatagramTransport | None = None
        self._certificate, key = _certificate()
        context = SSL.Context(SSL.DTLS_METHOD)
        context.set_verify(SSL.VERIFY_NONE, lambda *_arguments: True)
        context.use_certificate(self._certificate)
        context.use_privatekey(key)
        context.set_tlsext_use_srtp(b":".join(profiles))
        self._dtls = SSL.Connection(context, None)
        self._dtls.set_connect_state()
        self._srtp: Session | None = None
        self._srtp_in: Session | None = None
        self.media: list[bytes] = []
        self.reports: list[bytes] = []
        self.unopened = 0
        self._bound = asyncio.Event()
        self._chunks: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()
        self._arrived = asyncio.Event()
        self.tag = 0
        self._own_tag = int.from_bytes(os.urandom(4), "big") or 1
        self.tsn = 1
        self._stream_sequences = {0: 0, 1: 0}

    @property
    def fingerprint(self) -> str:
        """The fingerprint for the offer."""
        return self._certificate.fingerprint(hashes.SHA256()).hex(":").upper()

    # ── datagrams ──

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, _addr: object) -> None:
        if data[0] < 4:
            if data[:2] == b"\x01\x01":
                self._bound.set()
        elif 20 <= data[0] < 64:
            self._dtls.bio_write(data)
            self._arrived.set()
            if self._srtp is not None:
                self._read_dtls()
        elif 128 <= data[0] < 192 and self._srtp_in is not None:
            self._open(data, self._srtp_in)

    def _open(self, data: bytes, session: Session) -> None:
        is_report = 192 <= data[1] < 224
        try:
            if is_report:
                self.reports.append(session.unprotect_rtcp(data))
            else:
                self.media.append(session.unprotect(data))
        except Error:
            self.unopened += 1

    def send(self, datagram: bytes) -> None:
        """Send a datagram as it is."""
        if self._transport is not None:
            self._transport.sendto(datagram)

    def check(self) -> None:
        """Send a connectivity check: without one in 30 s consent is lost."""
        self.send(binding_request(f"{self.remote_ufrag}:{UFRAG}", self.remote_password))

    # ── ICE and DTLS ──

    async def connect(self, answer: str) -> None:
        """Connect to the address in an answer."""
        self.remote_ufrag = _attribute(answer, "ice-ufrag")
        self.remote_password = _attribute(answer, "ice-pwd")
        port = int(re.findall(r"127\.0\.0\.1 (\d+) typ host", answer)[0])
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, remote_addr=("127.0.0.1", port))
        async with asyncio.timeout(DEADLINE_S):
            await self._until(self._bound, self.check)
            await self._handshake()
            await self._associate()

    async def _until(self, event: asyncio.Event, again: Callable[[], None]) -> None:
        """Send again until it has happened."""
        while not event.is_set():
            again()
            with suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), ANSWERED_S)

    async def _handshake(self) -> None:
        while True:
            self._arrived.clear()
            try:
                self._dtls.do_handshake()
                break
            except SSL.WantReadError:
                self._flush()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._arrived.wait(), ANSWERED_S)
            self._dtls.DTLSv1_handle_timeout()
        self._flush()
        profile, key_size, salt_size = _PROFILES[self._dtls.get_selected_srtp_profile()]
        material = self._dtls.export_keying_material(b"EXTRACTOR-dtls_srtp", 2 * (key_size + salt_size))
        keys, salts = material[: 2 * key_size], material[2 * key_size :]
        ours, theirs = keys[:key_size] + salts[:salt_size], keys[key_size:] + salts[salt_size:]
        self._srtp_in = Session(Policy(key=theirs, ssrc_type=Policy.SSRC_ANY_INBOUND, srtp_profile=profile))
        policy = Policy(key=ours, ssrc_type=Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile)
        policy.allow_repeat_tx = True
        policy.window_size = 1024
        self._srtp = Session(policy)

    def _flush(self) -> None:
        with suppress(SSL.WantReadError):
            while True:
                self.send(self._dtls.bio_read(1500))

    # ── inside of the session ──

    def send_rtp(self, packet: bytes) -> bool:
        """Encrypt and send RTP. Return False for what cannot be encrypted, such as an extension longer than it all."""
        return self._protected(packet, "protect")

    def send_rtcp(self, packet: bytes) -> bool:
        """Encrypt and send RTCP."""
        return self._protected(packet, "protect_rtcp")

    def _protected(self, packet: bytes, how: str) -> bool:
        assert self._srtp is not None
        try:
            self.send(getattr(self._srtp, how)(packet))
        except Exception:  # noqa: BLE001 - whatever libsrtp does not take
            return False
        return True

    def send_sctp(self, packet: bytes) -> None:
        """Send an SCTP packet as it is."""
        self._dtls.send(packet)
        self._flush()

    def send_data(self, stream: int, payload: bytes, protocol: int = BINARY) -> None:
        """Send one message on a stream, in one chunk."""
        sequence = self._stream_sequences[stream]
        self._stream_sequences[stream] = sequence + 1 & 0xFFFF
        value = struct.pack(">IHHI", self.tsn, stream, sequence, protocol) + payload
        self.tsn = self.tsn + 1 & 0xFFFFFFFF
        self.send_sctp(sctp_packet(self.tag, chunk(_DATA, 7, value)))  # unordered: what is lost holds up nothing

    async def _associate(self) -> None:
        init = struct.pack(">IIHHI", self._own_tag, 1 << 20, 1024, 1024, self.tsn)
        acknowledged = await self._ask(sctp_packet(0, chunk(_INIT, 0, init)), _INIT_ACK)
        self.tag = struct.unpack_from(">I", acknowledged)[0]
        cookie = _parameter(acknowledged[16:], 7)
        await self._ask(sctp_packet(self.tag, chunk(_COOKIE_ECHO, 0, cookie)), _COOKIE_ACK)
        for stream, label in enumerate(LABELS):
            self.send_data(stream, channel_open(label), DCEP)

    async def _ask(self, packet: bytes, wanted: int) -> bytes:
        while True:
            self.send_sctp(packet)
            with suppress(TimeoutError):
                async with asyncio.timeout(ANSWERED_S):
                    while True:
                        kind, value = await self._chunks.get()
                        if kind == wanted:
                            return value

    def _read_dtls(self) -> None:
        with suppress(SSL.WantReadError, SSL.ZeroReturnError, SSL.Error):
            while True:
                self._read_sctp(self._dtls.recv(65536))

    def _read_sctp(self, packet: bytes) -> None:
        at = 12
        while at + 4 <= len(packet):
            kind, _flags, length = struct.unpack_from(">BBH", packet, at)
            value = packet[at + 4 : at + length]
            if kind == _DATA:
                (tsn,) = struct.unpack_from(">I", value)
                self.send_sctp(sctp_packet(self.tag, chunk(_SACK, 0, struct.pack(">IIHH", tsn, 1 << 20, 0, 0))))
            elif kind == _HEARTBEAT:
                self.send_sctp(sctp_packet(self.tag, chunk(_HEARTBEAT_ACK, 0, value)))
            else:
                self._chunks.put_nowait((kind, value))
            at += max(4, length + (-length % 4))

    def close(self) -> None:
        """Close the socket, without a word."""
        if self._transport is not None:
            self._transport.close()


def _attribute(sdp: str, name: str) -> str:
    found = re.search(rf"^a={name}:(\S+)", sdp, re.MULTILINE)
    assert found, f"no {name} in {sdp}"
    return found.group(1)


def _parameter(data: bytes, wanted: int) -> bytes:
    at = 0
    while at + 4 <= len(data):
        kind, length = struct.unpack_from(">HH", data, at)
        if kind == wanted:
            return data[at + 4 : at + length]
        at += length + (-length % 4)
    raise AssertionError(f"no parameter {wanted}")


@asynccontextmanager
async def raw_peer(
    signalling: aiohttp.ClientWebSocketResponse,
    *,
    profiles: Sequence[bytes] = tuple(_PROFILES),
    receives: bool = False,
) -> AsyncIterator[RawPeer]:
    """Publish a microphone and a camera, and connect. `receives`: receive what another one published before, too."""
    await receive(signalling, "join")
    layers = [
        VideoLayer(quality=quality, width=320 * 2**number, height=180 * 2**number)
        for number, quality in enumerate((VideoQuality.LOW, VideoQuality.MEDIUM, VideoQuality.HIGH))
    ]
    peer = RawPeer(profiles)
    tracks = (
        AddTrackRequest(cid="mic", type=TrackType.AUDIO, source=TrackSource.MICROPHONE),
        AddTrackRequest(cid="cam", type=TrackType.VIDEO, source=TrackSource.CAMERA, layers=layers),
    )
    for track in tracks:
        await signalling.send_bytes(SignalRequest(add_track=track).SerializeToString())
    try:
        await peer.connect(await _negotiated(signalling, offer_of(peer.fingerprint), 1))
        if receives:
            await receive(signalling, "media_sections_requirement")
            await _negotiated(signalling, offer_of(peer.fingerprint, receives=True), 2)
        yield peer
    finally:
        peer.close()


async def _negotiated(signalling: aiohttp.ClientWebSocketResponse, sdp: str, number: int) -> str:
    offer = SessionDescription(type="offer", sdp=sdp, id=number)
    await signalling.send_bytes(SignalRequest(offer=offer).SerializeToString())
    return (await receive(signalling, "answer")).answer.sdp
