//! DTLS handshakes as str0m makes them, but that their keys are taken down as they pass, and what is lost is soon sent again.
//!
//! By itself str0m waits for a second, then for two and four, and sends a flight five times in all, also in answer to
//! browsers, who repeat themselves after 50, 100 and 200 ms: through 30 % of loss each tenth of them took over three seconds.

use std::cell::Cell;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use dimpl::{Config, Dtls, DtlsCertificate};
#[cfg(test)]
use str0m::config::KeyingMaterial;
use str0m::config::{DtlsCert, DtlsVersion};
#[cfg(test)]
use str0m::crypto::dtls::SrtpProfile;
use str0m::crypto::dtls::{DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, ProtocolVersion};
use str0m::crypto::{CryptoError, from_feature_flags};

use super::srtp::Exported;

/// From a flight to its first repetition; twice as long each time. A user waits for it (RFC 9147 section 5.8.2).
const REPEATED_AFTER: Duration = Duration::from_millis(100);
/// Of each flight, by time and in answer to the client's: as many as fit into the time of a handshake.
const REPETITIONS: usize = 40;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(40);

thread_local! {
    /// Of the connection that this thread is making.
    static NEWEST: Cell<KeySlot> = Cell::default();
}

/// Where a connection's keys will be.
#[derive(Clone, Default)]
pub(super) struct KeySlot(Arc<Mutex<Option<Exported>>>);

impl KeySlot {
    /// The slot of the connection that this thread has made last.
    pub fn of_newest() -> Self {
        NEWEST.take()
    }

    /// The keys, once, when the handshake is over.
    pub fn take(&self) -> Option<Exported> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put(&self, keys: Exported) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(keys);
    }
}

/// Makes handshakes.
#[derive(Debug)]
pub(super) struct Handshakes {
    repeated_after: Duration,
    #[cfg(test)]
    profile: Option<SrtpProfile>,
}

struct Handshake {
    dtls: Dtls,
    keys: KeySlot,
    #[cfg(test)]
    profile: Option<SrtpProfile>,
}

impl Handshakes {
    pub const OURS: Self = Self {
        repeated_after: REPEATED_AFTER,
        #[cfg(test)]
        profile: None,
    };

    /// Those that end with this profile, whatever was negotiated.
    #[cfg(test)]
    pub fn ending_with(profile: SrtpProfile) -> Self {
        Self { profile: Some(profile), ..Self::OURS }
    }
}

impl DtlsProvider for Handshakes {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        from_feature_flags().dtls_provider.generate_certificate()
    }

    fn new_dtls(
        &self,
        certificate: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let DtlsCert { certificate, private_key } = certificate.clone();
        let certificate = DtlsCertificate { certificate, private_key };
        let make = match version {
            DtlsVersion::Dtls12 => Dtls::new_12,
            DtlsVersion::Dtls13 => Dtls::new_13,
            DtlsVersion::Auto => Dtls::new_auto,
            other => return Err(CryptoError::Other(format!("{other} is not known"))),
        };
        // that a client can be reached at its address is what ICE has found out
        let config = Config::builder()
            .use_server_cookie(false)
            .flight_start_rto(self.repeated_after)
            .flight_retries(REPETITIONS)
            .handshake_timeout(HANDSHAKE_TIMEOUT);
        let config = mtu.into_iter().fold(config, |config, mtu| config.mtu(mtu)).build();
        let config = config.map_err(|error| CryptoError::Other(error.to_string()))?;
        let keys = KeySlot::default();
        NEWEST.set(keys.clone());
        Ok(Box::new(Handshake {
            dtls: make(Arc::new(config), certificate, now),
            keys,
            #[cfg(test)]
            profile: self.profile,
        }))
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handshake")
    }
}

impl DtlsInstance for Handshake {
    fn set_active(&mut self, active: bool) {
        self.dtls.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.dtls.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        let output = self.dtls.poll_output(buffer);
        #[cfg(test)]
        let output = ending_with(self.profile, output);
        if let DtlsOutput::KeyingMaterial(material, profile) = &output {
            self.keys.put(Exported::new(*profile, material, self.dtls.is_active()));
        }
        output
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.dtls.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.dtls.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.dtls.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.dtls.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.dtls.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.dtls.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.dtls.close()
    }
}

#[cfg(test)]
fn ending_with(profile: Option<SrtpProfile>, output: DtlsOutput<'_>) -> DtlsOutput<'_> {
    match (output, profile) {
        (DtlsOutput::KeyingMaterial(material, _), Some(profile)) => {
            let bytes = material.iter().copied().cycle().take(profile.keying_material_len());
            DtlsOutput::KeyingMaterial(KeyingMaterial::new(&bytes.collect::<Vec<_>>()), profile)
        }
        (output, _) => output,
    }
}

#[cfg(test)]
#[path = "handshake_tests.rs"]
mod tests;
