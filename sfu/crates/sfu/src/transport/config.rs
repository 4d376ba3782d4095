//! The configuration that all shards of a core share.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::config::{CryptoProvider, DtlsCert};
use str0m::net::{TcpType, Transmit};
use str0m::rtp::{Extension, ExtensionMap};
use str0m::{Candidate, Rtc, RtcConfig};

use super::credentials::{IceCredentials, UfragKey};
use super::crypto;
use super::dependency;
use super::stun::ufrag_of_check;
use crate::datagram::{Path, Protocol};
use crate::ids::ShardId;

/// Loss and round trip times are reported this often; each report walks every stream.
const STATS_INTERVAL: Duration = Duration::from_secs(5);

/// The codecs that can be negotiated, as LiveKit writes them.
const CODECS: [&str; 6] = ["audio/opus", "audio/red", "video/VP8", "video/H264", "video/VP9", "video/AV1"];

/// The one profile of H.264 that every client can decode, at level 3.1 (RFC 7742 section 6.2, RFC 6184 section 8.1). A
/// client that sends prefers its first profile otherwise, which others may not have.
const CONSTRAINED_BASELINE: u32 = 0x42e01f;
/// Payload types of H.264 and of its retransmissions, and whether pictures may be cut into several packets (RFC 6184
/// section 6.2), which is preferred.
const H264: [(u8, u8, bool); 2] = [(108, 109, true), (124, 120, false)];

/// Which codecs are negotiated with a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Codecs(u8);

impl Codecs {
    /// All that are known.
    pub const ALL: Self = Self(u8::MAX);

    /// These, by their MIME types without regard to case. Fails for one that is not known.
    pub fn named<S: AsRef<str>>(mime_types: &[S]) -> Result<Self, ConfigError> {
        let mut chosen = 0;
        for name in mime_types.iter().map(AsRef::as_ref) {
            chosen |= bit_of(name)
                .ok_or_else(|| ConfigError(format!("{name:?} is no codec; known are {}", CODECS.join(", "))))?;
        }
        Ok(Self(chosen))
    }

    fn contains(self, name: &str) -> bool {
        bit_of(name).is_some_and(|bit| self.0 & bit != 0)
    }
}

fn bit_of(name: &str) -> Option<u8> {
    CODECS.iter().position(|codec| codec.eq_ignore_ascii_case(name)).map(|index| 1 << index)
}

/// Addresses and certificate. Clones share the certificate: every shard shows the same fingerprint.
#[derive(Clone)]
pub struct ShardConfig {
    candidates: Vec<Candidate>,
    certificate: DtlsCert,
    crypto: Arc<CryptoProvider>,
    ufrags: UfragKey,
}

impl ShardConfig {
    /// Offer `addresses` as host candidates for UDP.
    ///
    /// Fails without an address, for one that no candidate can have, or if no certificate can be generated.
    pub fn new(addresses: &[SocketAddr]) -> Result<Self, ConfigError> {
        let candidates = addresses
            .iter()
            .map(|address| Candidate::host(*address, "udp").map_err(|error| ConfigError(error.to_string())))
            .collect::<Result<Vec<_>, _>>()?;
        if candidates.is_empty() {
            return Err(ConfigError("at least one address is required".into()));
        }
        let crypto = crypto::provider();
        let certificate = crypto
            .dtls_provider
            .generate_certificate()
            .ok_or_else(|| ConfigError("no DTLS certificate could be generated".into()))?;
        Ok(Self { candidates, certificate, crypto: Arc::new(crypto), ufrags: UfragKey::default() })
    }

    /// Offer `addresses` as passive host candidates for TCP too (RFC 6544).
    ///
    /// Fails for an address that no candidate can have.
    pub fn with_tcp(mut self, addresses: &[SocketAddr]) -> Result<Self, ConfigError> {
        for address in addresses {
            let candidate = Candidate::builder().tcp().host(*address).tcptype(TcpType::Passive).build();
            self.candidates.push(candidate.map_err(|error| ConfigError(error.to_string()))?);
        }
        Ok(self)
    }

    #[cfg(test)]
    pub(super) fn with_crypto(mut self, crypto: CryptoProvider) -> Self {
        self.crypto = Arc::new(crypto);
        self
    }

    /// The shard that owns the peer to which a connectivity check is addressed, None if it names none.
    pub fn shard_of_check(&self, data: &[u8]) -> Option<ShardId> {
        self.ufrags.shard_of(ufrag_of_check(data)?)
    }

    /// A connection with the configured candidates that has not seen an offer yet.
    pub(super) fn connection(&self, now: Instant, credentials: &IceCredentials, codecs: Codecs) -> Rtc {
        let mut rtc = self.rtc_config(credentials, codecs).set_extension_map(extensions()).build(now);
        for candidate in &self.candidates {
            rtc.add_local_candidate(candidate.clone());
        }
        rtc
    }

    /// What all shards mark their ufrags with.
    pub(crate) fn ufrag_key(&self) -> &UfragKey {
        &self.ufrags
    }

    /// A path, as the system tells it, with the candidate that led a client to it. None if there is no such candidate.
    pub fn offered(&self, path: Path) -> Option<Path> {
        Some(Path { local: self.candidate_for(path)?, ..path })
    }

    /// The candidate that led a client to this path: that of the local address, or, behind a network address
    /// translation whose outer address is offered, the first one of its family.
    fn candidate_for(&self, path: Path) -> Option<SocketAddr> {
        let protocol = net_protocol(path.protocol);
        let mut of_family = None;
        for candidate in self.candidates.iter().filter(|candidate| candidate.proto() == protocol) {
            let address = candidate.addr();
            if address.ip() == path.local.ip() {
                return Some(address);
            }
            if of_family.is_none() && address.is_ipv4() == path.local.is_ipv4() {
                of_family = Some(address);
            }
        }
        of_family
    }

    fn rtc_config(&self, credentials: &IceCredentials, codecs: Codecs) -> RtcConfig {
        let has = |codec: &str| codecs.contains(codec);
        let mut config = RtcConfig::new()
            .set_rtp_mode(true)
            .set_ice_lite(true)
            .set_crypto_provider(self.crypto.clone())
            .set_dtls_cert(self.certificate.clone())
            .set_local_ice_credentials(credentials.into())
            .set_stats_interval(Some(STATS_INTERVAL))
            .clear_codecs()
            .enable_opus(has("audio/opus"), has("audio/red"))
            .enable_vp8(has("video/VP8"))
            .enable_vp9(has("video/VP9"))
            .enable_av1(has("video/AV1"));
        for (payload_type, rtx, fragments) in H264.into_iter().filter(|_| has("video/H264")) {
            config.codec_config().add_h264(payload_type.into(), Some(rtx.into()), fragments, CONSTRAINED_BASELINE);
        }
        config
    }
}

/// str0m's name of it.
pub(super) fn net_protocol(protocol: Protocol) -> str0m::net::Protocol {
    match protocol {
        Protocol::Udp => str0m::net::Protocol::Udp,
        Protocol::Tcp => str0m::net::Protocol::Tcp,
    }
}

/// Where str0m sends something.
pub(super) fn path_of(transmit: &Transmit) -> Path {
    let (local, remote) = (transmit.source, transmit.destination);
    match transmit.proto {
        str0m::net::Protocol::Udp => Path::udp(local, remote),
        _ => Path::tcp(local, remote),
    }
}

/// Header extensions in the order of their ids (RFC 8285), from 1.
fn extensions() -> ExtensionMap {
    let mut map = ExtensionMap::empty();
    let known = [
        Extension::AudioLevel,
        Extension::AbsoluteSendTime,
        Extension::TransportSequenceNumber,
        Extension::RtpMid,
        Extension::RtpStreamId,
        Extension::RepairedRtpStreamId,
        Extension::VideoOrientation,
        Extension::PlayoutDelay,
        dependency::extension(),
    ];
    for (id, extension) in (1..).zip(known) {
        map.set(id, extension);
    }
    map
}

/// Why a [`ShardConfig`] or [`Codecs`] cannot be made.
#[derive(Debug)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}
