//! What all shards of a core have in common.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use str0m::config::{CryptoProvider, DtlsCert};
use str0m::ice::IceCreds;
use str0m::rtp::{Extension, ExtensionMap};
use str0m::{Candidate, RtcConfig};

use crate::ids::ShardId;

/// Packets kept for resending to one subscriber of one video: about 1.5 s of a large one.
const RESEND_VIDEO_PACKETS: usize = 256;
const RESEND_AUDIO_PACKETS: usize = 32;
/// Loss and round trip times are reported this often; each report walks every stream.
const STATS_INTERVAL: Duration = Duration::from_secs(5);

#[derive(Clone)]
pub struct ShardConfig {
    candidates: Vec<Candidate>,
    certificate: DtlsCert,
    crypto: Arc<CryptoProvider>,
}

impl ShardConfig {
    /// `addresses`: what candidates offer; also where the clients' datagrams are taken to have been sent.
    pub fn new(addresses: &[SocketAddr]) -> Result<Self, ConfigError> {
        let candidates = addresses
            .iter()
            .map(|address| Candidate::host(*address, "udp").map_err(|error| ConfigError(error.to_string())))
            .collect::<Result<Vec<_>, _>>()?;
        if candidates.is_empty() {
            return Err(ConfigError("at least one address to offer is needed".into()));
        }
        let crypto = str0m::crypto::from_feature_flags();
        let certificate = crypto
            .dtls_provider
            .generate_certificate()
            .ok_or_else(|| ConfigError("no certificate could be made".into()))?;
        Ok(Self { candidates, certificate, crypto: Arc::new(crypto) })
    }

    pub(crate) fn candidates(&self) -> &[Candidate] {
        &self.candidates
    }

    /// The candidate that a datagram from `source` is taken to have come to.
    pub(crate) fn local_address(&self, source: SocketAddr) -> Option<SocketAddr> {
        let same_family = self.candidates.iter().find(|c| c.addr().is_ipv4() == source.is_ipv4());
        same_family.or(self.candidates.first()).map(|c| c.addr())
    }

    pub(crate) fn rtc_config(&self, credentials: IceCreds) -> RtcConfig {
        RtcConfig::new()
            .set_rtp_mode(true)
            .set_ice_lite(true)
            .set_crypto_provider(self.crypto.clone())
            .set_dtls_cert(self.certificate.clone())
            .set_local_ice_credentials(credentials)
            .set_extension_map(extensions())
            .set_stats_interval(Some(STATS_INTERVAL))
            .set_send_buffer_video(RESEND_VIDEO_PACKETS)
            .set_send_buffer_audio(RESEND_AUDIO_PACKETS)
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .enable_h264(true)
    }
}

/// Credentials whose ufrag begins with the shard's number: any worker can hand a first datagram to its owner.
pub(crate) fn credentials(shard: ShardId) -> IceCreds {
    let random = IceCreds::new();
    IceCreds { ufrag: format!("{:04x}{}", shard.0, random.ufrag), pass: random.pass }
}

/// The shard that a local ufrag names.
pub(crate) fn shard_of_ufrag(ufrag: &str) -> Option<ShardId> {
    u16::from_str_radix(ufrag.get(..4)?, 16).ok().map(ShardId)
}

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

#[derive(Debug)]
pub struct ConfigError(String);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}
