//! What str0m is given as its cryptography: everything as it comes with it, but that we seal by ourselves.
//!
//! The handshake is str0m's; its keys are taken down as they pass. What str0m sends by itself (RTCP) it writes in the
//! layout of a sealed packet, unsealed: [`Sending`](super::sending::Sending) is all that reaches a key, so that seal-once
//! does not depend on two who would have to agree.

use std::cell::Cell;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use str0m::config::{CryptoProvider, DtlsCert, DtlsVersion};
use str0m::crypto::dtls::{DtlsImplError, DtlsInstance, DtlsOutput, DtlsProvider, ProtocolVersion};
use str0m::crypto::{
    AeadAes128GcmCipher, AeadAes256GcmCipher, Aes128CmSha1_80Cipher, CryptoError, SrtpProvider, SupportedAeadAes128Gcm,
    SupportedAeadAes256Gcm, SupportedAes128CmSha1_80, from_feature_flags,
};

use super::handshake::Handshakes;
use super::srtp::Exported;

#[cfg(test)]
#[path = "crypto_forced.rs"]
pub(super) mod forced;

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

/// The cryptography of connections whose packets are sealed by [`Sending`](super::sending::Sending).
pub(super) fn provider() -> CryptoProvider {
    const EXPORTING: &Exporting = &Exporting { inner: &Handshakes::OURS };
    CryptoProvider { srtp_provider: &Unsealed, dtls_provider: EXPORTING, ..from_feature_flags() }
}

/// Makes handshakes whose keys are taken down.
#[derive(Debug)]
struct Exporting {
    inner: &'static dyn DtlsProvider,
}

struct ExportingInstance {
    inner: Box<dyn DtlsInstance>,
    keys: KeySlot,
}

impl DtlsProvider for Exporting {
    fn generate_certificate(&self) -> Option<DtlsCert> {
        self.inner.generate_certificate()
    }

    fn new_dtls(
        &self,
        certificate: &DtlsCert,
        now: Instant,
        version: DtlsVersion,
        mtu: Option<usize>,
    ) -> Result<Box<dyn DtlsInstance>, CryptoError> {
        let inner = self.inner.new_dtls(certificate, now, version, mtu)?;
        let keys = KeySlot::default();
        NEWEST.set(keys.clone());
        Ok(Box::new(ExportingInstance { inner, keys }))
    }
}

impl fmt::Debug for ExportingInstance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl DtlsInstance for ExportingInstance {
    fn set_active(&mut self, active: bool) {
        self.inner.set_active(active);
    }

    fn handle_packet(&mut self, packet: &[u8]) -> Result<(), DtlsImplError> {
        self.inner.handle_packet(packet)
    }

    fn poll_output<'a>(&mut self, buffer: &'a mut [u8]) -> DtlsOutput<'a> {
        let output = self.inner.poll_output(buffer);
        if let DtlsOutput::KeyingMaterial(material, profile) = &output {
            self.keys.put(Exported::new(*profile, material, self.inner.is_active()));
        }
        output
    }

    fn handle_timeout(&mut self, now: Instant) -> Result<(), DtlsImplError> {
        self.inner.handle_timeout(now)
    }

    fn send_application_data(&mut self, data: &[u8]) -> Result<usize, DtlsImplError> {
        self.inner.send_application_data(data)
    }

    fn is_active(&self) -> bool {
        self.inner.is_active()
    }

    fn protocol_version(&self) -> Option<ProtocolVersion> {
        self.inner.protocol_version()
    }

    fn is_closing(&self) -> bool {
        self.inner.is_closing()
    }

    fn is_closed(&self) -> bool {
        self.inner.is_closed()
    }

    fn close(&mut self) -> Result<(), DtlsImplError> {
        self.inner.close()
    }
}

/// Opens as always, and seals nothing.
#[derive(Debug)]
struct Unsealed;

impl SrtpProvider for Unsealed {
    fn aes_128_cm_sha1_80(&self) -> &'static dyn SupportedAes128CmSha1_80 {
        &Unsealed
    }

    fn aead_aes_128_gcm(&self) -> &'static dyn SupportedAeadAes128Gcm {
        &Unsealed
    }

    fn aead_aes_256_gcm(&self) -> &'static dyn SupportedAeadAes256Gcm {
        &Unsealed
    }

    fn srtp_aes_128_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        from_feature_flags().srtp_provider.srtp_aes_128_ecb_round(key, input, output);
    }

    fn srtp_aes_256_ecb_round(&self, key: &[u8], input: &[u8], output: &mut [u8]) {
        from_feature_flags().srtp_provider.srtp_aes_256_ecb_round(key, input, output);
    }
}

impl SupportedAes128CmSha1_80 for Unsealed {
    fn create_cipher(&self, key: [u8; 16], seals: bool) -> Box<dyn Aes128CmSha1_80Cipher> {
        let real = from_feature_flags().srtp_provider.aes_128_cm_sha1_80();
        if seals { Box::new(Unsealed) } else { real.create_cipher(key, seals) }
    }
}

impl SupportedAeadAes128Gcm for Unsealed {
    fn create_cipher(&self, key: [u8; 16], seals: bool) -> Box<dyn AeadAes128GcmCipher> {
        let real = from_feature_flags().srtp_provider.aead_aes_128_gcm();
        if seals { Box::new(Unsealed) } else { real.create_cipher(key, seals) }
    }
}

impl SupportedAeadAes256Gcm for Unsealed {
    fn create_cipher(&self, key: [u8; 32], seals: bool) -> Box<dyn AeadAes256GcmCipher> {
        let real = from_feature_flags().srtp_provider.aead_aes_256_gcm();
        if seals { Box::new(Unsealed) } else { real.create_cipher(key, seals) }
    }
}

fn copy(input: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
    let output = output.get_mut(..input.len()).ok_or_else(|| CryptoError::Other("no room".into()))?;
    output.copy_from_slice(input);
    Ok(())
}

fn cannot_open() -> CryptoError {
    CryptoError::Other("this only writes".into())
}

impl Aes128CmSha1_80Cipher for Unsealed {
    fn encrypt(&mut self, _: &[u8; 16], input: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
        copy(input, output)
    }

    fn decrypt(&mut self, _: &[u8; 16], _: &[u8], _: &mut [u8]) -> Result<(), CryptoError> {
        Err(cannot_open())
    }
}

impl AeadAes128GcmCipher for Unsealed {
    fn encrypt(&mut self, _: &[u8; 12], _: &[u8], input: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
        copy(input, output)
    }

    fn decrypt(&mut self, _: &[u8; 12], _: &[&[u8]], _: &[u8], _: &mut [u8]) -> Result<usize, CryptoError> {
        Err(cannot_open())
    }
}

impl AeadAes256GcmCipher for Unsealed {
    fn encrypt(&mut self, _: &[u8; 12], _: &[u8], input: &[u8], output: &mut [u8]) -> Result<(), CryptoError> {
        copy(input, output)
    }

    fn decrypt(&mut self, _: &[u8; 12], _: &[&[u8]], _: &[u8], _: &mut [u8]) -> Result<usize, CryptoError> {
        Err(cannot_open())
    }
}
