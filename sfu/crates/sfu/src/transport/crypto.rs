//! What str0m is given as its cryptography: everything as it comes with it, but that we seal by ourselves.
//!
//! Handshakes are those of [`Handshakes`], which takes their keys down. What str0m sends by itself (RTCP) it writes in the
//! layout of a sealed packet, unsealed: [`Sending`](super::sending::Sending) is all that reaches a key, so that seal-once
//! does not depend on two who would have to agree.

use str0m::config::CryptoProvider;
use str0m::crypto::{
    AeadAes128GcmCipher, AeadAes256GcmCipher, Aes128CmSha1_80Cipher, CryptoError, SrtpProvider, SupportedAeadAes128Gcm,
    SupportedAeadAes256Gcm, SupportedAes128CmSha1_80, from_feature_flags,
};

use super::handshake::Handshakes;

#[cfg(test)]
#[path = "crypto_forced.rs"]
pub(super) mod forced;

/// The cryptography of connections whose packets are sealed by [`Sending`](super::sending::Sending).
pub(super) fn provider() -> CryptoProvider {
    CryptoProvider { srtp_provider: &Unsealed, dtls_provider: &Handshakes::OURS, ..from_feature_flags() }
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
