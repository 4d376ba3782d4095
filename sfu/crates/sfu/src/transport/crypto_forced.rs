//! Handshakes that end with a profile of the test's choice: our DTLS and that of test clients agree on one only.

use super::*;
use str0m::config::KeyingMaterial;
use str0m::crypto::dtls::SrtpProfile;

/// Replaces what was negotiated.
#[derive(Debug)]
struct Forcing(SrtpProfile);

struct ForcingInstance(Box<dyn DtlsInstance>, SrtpProfile);

/// The cryptography of a connection of ours and of its client, who both use this profile.
pub fn forced(profile: SrtpProfile) -> (CryptoProvider, CryptoProvider) {
    let forcing: &'static Forcing = Box::leak(Box::new(Forcing(profile)));
    let exporting: &'static Exporting = Box::leak(Box::new(Exporting { inner: forcing }));
    let ours = CryptoProvider { dtls_provider: exporting, ..provider() };
    (ours, CryptoProvider { dtls_provider: forcing, ..from_feature_flags() })
}

impl DtlsProvider for Forcing {
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
        let inner = from_feature_flags().dtls_provider.new_dtls(certificate, now, version, mtu)?;
        Ok(Box::new(ForcingInstance(inner, self.0)))
    }
}

impl fmt::Debug for ForcingInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl DtlsInstance for ForcingInstance {
    fn set_active(&mut self, active: bool) {
        self.0.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.0.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        match self.0.poll_output(buffer) {
            DtlsOutput::KeyingMaterial(material, _) => {
                let bytes = material.iter().copied().cycle().take(self.1.keying_material_len());
                DtlsOutput::KeyingMaterial(KeyingMaterial::new(&bytes.collect::<Vec<_>>()), self.1)
            }
            output => output,
        }
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
