//! DTLS handshakes as str0m makes them, but that what is lost of them is soon sent again.
//!
//! By itself str0m waits for a second, then for two and four, and sends a flight five times in all, also in answer to
//! browsers, who repeat themselves after 50, 100 and 200 ms: through 30 % of loss each tenth of them took over three seconds.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use dimpl::{Config, Dtls, DtlsCertificate};
use str0m::config::{DtlsCert, DtlsVersion};
use str0m::crypto::dtls::{DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, ProtocolVersion};
use str0m::crypto::{CryptoError, from_feature_flags};

/// From a flight to its first repetition; twice as long each time. A user waits for it (RFC 9147 section 5.8.2).
const REPEATED_AFTER: Duration = Duration::from_millis(100);
/// Of each flight, by time and in answer to the client's: as many as fit into the time of a handshake.
const REPETITIONS: usize = 40;
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(40);

/// Makes handshakes.
#[derive(Debug)]
pub(super) struct Handshakes {
    repeated_after: Duration,
}

struct Handshake(Dtls);

impl Handshakes {
    pub const OURS: Self = Self { repeated_after: REPEATED_AFTER };
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
        Ok(Box::new(Handshake(make(Arc::new(config), certificate, now))))
    }
}

impl fmt::Debug for Handshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handshake")
    }
}

impl DtlsInstance for Handshake {
    fn set_active(&mut self, active: bool) {
        self.0.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.0.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        self.0.poll_output(buffer)
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.0.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.0.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.0.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.0.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.0.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.0.close()
    }
}

#[cfg(test)]
#[path = "handshake_tests.rs"]
mod tests;
