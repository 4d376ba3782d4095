//! Session keys from what DTLS exports (RFC 5764 section 4.2, RFC 3711 section 4.3.1, RFC 7714 section 11).

use aws_lc_rs::cipher::{AES_128, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use str0m::crypto::dtls::SrtpProfile;

/// What a session key is for: the label of its derivation.
#[derive(Clone, Copy)]
pub(super) enum Label {
    RtpKey = 0,
    RtpMac = 1,
    RtpSalt = 2,
    RtcpKey = 3,
    RtcpMac = 4,
    RtcpSalt = 5,
}

/// Both sides' master keys and salts.
pub struct Exported {
    profile: SrtpProfile,
    /// The keys of client and server, then their salts.
    material: Vec<u8>,
    /// Whether we are the client of the handshake.
    is_client: bool,
}

/// The master key and salt of one direction.
pub(super) struct Master {
    pub profile: SrtpProfile,
    key: Vec<u8>,
    /// Filled up with zeros where the profile's is shorter.
    salt: [u8; 14],
}

/// Lengths in bytes of a profile's key and salt, None for one that is not supported.
fn lengths(profile: SrtpProfile) -> Option<(usize, usize)> {
    match profile {
        SrtpProfile::AES128_CM_SHA1_80 => Some((16, 14)),
        SrtpProfile::AEAD_AES_128_GCM => Some((16, 12)),
        SrtpProfile::AEAD_AES_256_GCM => Some((32, 12)),
        _ => None,
    }
}

impl Exported {
    pub fn new(profile: SrtpProfile, material: &[u8], is_client: bool) -> Self {
        Self { profile, material: material.to_vec(), is_client }
    }

    /// What our packets are sealed with.
    pub(super) fn ours(&self) -> Option<Master> {
        self.master(self.is_client)
    }

    /// What the other side's packets are opened with.
    pub(super) fn theirs(&self) -> Option<Master> {
        self.master(!self.is_client)
    }

    fn master(&self, of_client: bool) -> Option<Master> {
        let (key_bytes, salt_bytes) = lengths(self.profile)?;
        let side = usize::from(!of_client);
        let (keys, salts) = self.material.split_at_checked(2 * key_bytes)?;
        let key = keys.chunks_exact(key_bytes).nth(side)?.to_vec();
        let mut salt = [0; 14];
        salt.get_mut(..salt_bytes)?.copy_from_slice(salts.chunks_exact(salt_bytes).nth(side)?);
        Some(Master { profile: self.profile, key, salt })
    }
}

impl Master {
    pub fn key_bytes(&self) -> usize {
        self.key.len()
    }

    /// The session key or salt of this label.
    pub fn derive(&self, label: Label, bytes: usize) -> Option<Vec<u8>> {
        let algorithm = if self.key.len() == 16 { &AES_128 } else { &AES_256 };
        let key = EncryptingKey::ctr(UnboundCipherKey::new(algorithm, &self.key).ok()?).ok()?;
        let mut counter = [0; 16];
        counter.get_mut(..14)?.copy_from_slice(&self.salt);
        *counter.get_mut(7)? ^= label as u8;
        let mut derived = vec![0; bytes];
        key.less_safe_encrypt(&mut derived, EncryptionContext::Iv128(FixedLength::from(counter))).ok()?;
        Some(derived)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 3711 appendix B.3.
    #[test]
    fn session_keys_are_those_of_the_standard() {
        let master = Master {
            profile: SrtpProfile::AES128_CM_SHA1_80,
            key: hex("E1F97A0D3E018BE0D64FA32C06DE4139"),
            salt: hex("0EC675AD498AFEEBB6960B3AABE6").try_into().expect("14 bytes"),
        };
        let derived = |label, bytes| master.derive(label, bytes).expect("a key");
        assert_eq!(derived(Label::RtpKey, 16), hex("C61E7A93744F39EE10734AFE3FF7A087"));
        assert_eq!(derived(Label::RtpSalt, 14), hex("30CBBC08863D8C85D49DB34A9AE1"));
        assert_eq!(derived(Label::RtpMac, 20), hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"));
    }

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
    }

    #[test]
    fn each_side_has_its_own_part() {
        for profile in SrtpProfile::ALL {
            let material: Vec<u8> = (0..profile.keying_material_len()).map(|byte| byte as u8).collect();
            let (client, server) =
                (Exported::new(*profile, &material, true), Exported::new(*profile, &material, false));
            let key = |master: Option<Master>| master.expect("a master key").key;
            assert_eq!(key(client.ours()), key(server.theirs()));
            assert_eq!(key(client.theirs()), key(server.ours()));
            assert_ne!(key(client.ours()), key(server.ours()));
            assert!(Exported::new(*profile, &material[1..], true).theirs().is_none());
        }
    }
}
