//! The configuration that all shards of a core share.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::config::{CryptoProvider, DtlsCert};
use str0m::rtp::{Extension, ExtensionMap};
use str0m::{Candidate, Rtc, RtcConfig};

use super::credentials::{IceCredentials, UfragKey};

/// Packets kept for retransmission to one subscriber of one video: about 1.5 s of a large one.
const RESEND_VIDEO_PACKETS: usize = 256;
const RESEND_AUDIO_PACKETS: usize = 32;
/// Loss and round trip times are reported this often; each report walks every stream.
const STATS_INTERVAL: Duration = Duration::from_secs(5);

/// Addresses, certificate and codecs. Clones share the certificate: every shard shows the same fingerprint.
#[derive(Clone)]
pub struct ShardConfig {
    candidates: Vec<Candidate>,
    certificate: DtlsCert,
    crypto: Arc<CryptoProvider>,
    ufrags: UfragKey,
}

impl ShardConfig {
    /// Offer `addresses` as host candidates. Clients' datagrams are taken to have been sent to one of them.
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
        let crypto = str0m::crypto::from_feature_flags();
        let certificate = crypto
            .dtls_provider
            .generate_certificate()
            .ok_or_else(|| ConfigError("no DTLS certificate could be generated".into()))?;
        Ok(Self { candidates, certificate, crypto: Arc::new(crypto), ufrags: UfragKey::default() })
    }

    /// A connection with the configured candidates that has not seen an offer yet.
    pub(super) fn connection(&self, now: Instant, credentials: &IceCredentials) -> Rtc {
        let mut rtc = self.rtc_config(credentials).build(now);
        for candidate in &self.candidates {
            rtc.add_local_candidate(candidate.clone());
        }
        rtc
    }

    /// What all shards mark their ufrags with.
    pub(crate) fn ufrag_key(&self) -> &UfragKey {
        &self.ufrags
    }

    /// The local address that a datagram from `source` is taken to have been sent to.
    pub(crate) fn local_address(&self, source: SocketAddr) -> Option<SocketAddr> {
        let same_family = self.candidates.iter().find(|c| c.addr().is_ipv4() == source.is_ipv4());
        same_family.or(self.candidates.first()).map(|c| c.addr())
    }

    fn rtc_config(&self, credentials: &IceCredentials) -> RtcConfig {
        RtcConfig::new()
            .set_rtp_mode(true)
            .set_ice_lite(true)
            .set_crypto_provider(self.crypto.clone())
            .set_dtls_cert(self.certificate.clone())
            .set_local_ice_credentials(credentials.into())
            .set_extension_map(extensions())
            .set_stats_interval(Some(STATS_INTERVAL))
            .set_send_buffer_video(RESEND_VIDEO_PACKETS)
            .set_send_buffer_audio(RESEND_AUDIO_PACKETS)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .enable_h264(true)
            .enable_vp9(true)
            .enable_av1(true)
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
    ];
    for (id, extension) in (1..).zip(known) {
        map.set(id, extension);
    }
    map
}

/// Why a [`ShardConfig`] cannot be made.
#[derive(Debug)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}
