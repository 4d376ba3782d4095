//! Sealing and opening with one session key, in place.

use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::cipher::{AES_128, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::hmac;
use aws_lc_rs::iv::FixedLength;
use str0m::crypto::dtls::SrtpProfile;

use super::indices::Claimed;
use super::keys::{Label, Master};
use crate::ids::Ssrc;

/// Bytes of an authentication tag: GCM's (RFC 7714 section 5) and HMAC-SHA1's (RFC 3711 section 5.2).
const GCM_TAG: usize = 16;
const MAC_TAG: usize = 10;
/// Of RTCP this much stays readable (RFC 3711 section 3.4).
const RTCP_HEADER: usize = 8;
const RTCP_INDEX: usize = 4;
/// In the last four bytes: the packet is encrypted, and 31 bits of index.
const IS_ENCRYPTED: u32 = 0x8000_0000;

/// The session key of RTP or RTCP in one direction.
pub(super) enum Cipher {
    Gcm { key: LessSafeKey, salt: [u8; 12] },
    Cm { key: Box<EncryptingKey>, salt: [u8; 14], mac: Box<hmac::Key> },
}

impl Cipher {
    pub fn rtp(master: &Master) -> Option<Self> {
        Self::new(master, Label::RtpKey, Label::RtpSalt, Label::RtpMac)
    }

    pub fn rtcp(master: &Master) -> Option<Self> {
        Self::new(master, Label::RtcpKey, Label::RtcpSalt, Label::RtcpMac)
    }

    fn new(master: &Master, key: Label, salt: Label, mac: Label) -> Option<Self> {
        let key = master.derive(key, master.key_bytes())?;
        let gcm = |algorithm| {
            let salt = master.derive(salt, 12)?.try_into().ok()?;
            Some(Self::Gcm { key: LessSafeKey::new(UnboundKey::new(algorithm, &key).ok()?), salt })
        };
        match master.profile {
            SrtpProfile::AEAD_AES_128_GCM => gcm(&AES_128_GCM),
            SrtpProfile::AEAD_AES_256_GCM => gcm(&AES_256_GCM),
            SrtpProfile::AES128_CM_SHA1_80 => Some(Self::Cm {
                key: Box::new(EncryptingKey::ctr(UnboundCipherKey::new(&AES_128, &key).ok()?).ok()?),
                salt: master.derive(salt, 14)?.try_into().ok()?,
                mac: Box::new(hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &master.derive(mac, 20)?)),
            }),
            _ => None,
        }
    }

    /// Bytes that sealing adds to an RTP packet.
    pub fn rtp_overhead(&self) -> usize {
        match self {
            Self::Gcm { .. } => GCM_TAG,
            Self::Cm { .. } => MAC_TAG,
        }
    }

    /// Bytes that sealing adds to an RTCP packet.
    pub fn rtcp_overhead(&self) -> usize {
        self.rtp_overhead() + RTCP_INDEX
    }

    /// Seal the RTP packet that `out` holds from `start` on, whose header has this many bytes, in place.
    pub fn seal_rtp(&self, claimed: &Claimed, out: &mut Vec<u8>, start: usize, header_bytes: usize) -> Option<()> {
        let (ssrc, index) = (claimed.ssrc().0.to_be_bytes(), claimed.index().to_be_bytes());
        let packet = out.get_mut(start..)?;
        let (header, payload) = packet.split_at_mut_checked(header_bytes)?;
        match self {
            Self::Gcm { key, salt } => {
                let nonce = rtp_nonce(salt, ssrc, index)?;
                let tag = key.seal_in_place_separate_tag(nonce, Aad::from(&*header), payload).ok()?;
                out.extend_from_slice(tag.as_ref());
            }
            Self::Cm { key, salt, mac } => {
                let counter = counter(salt, ssrc, claimed.index());
                key.less_safe_encrypt(payload, counter).ok()?;
                let mut context = hmac::Context::with_key(mac);
                context.update(packet);
                // the roll-over count
                context.update(index.get(2..6)?);
                out.extend_from_slice(context.sign().as_ref().get(..MAC_TAG)?);
            }
        }
        Some(())
    }

    /// The payload of a sealed packet whose header has so many bytes, put into `out`; `index`: extended by the roll-over
    /// count. None for one that is not authentic.
    pub fn open_rtp(
        &self,
        sealed: &[u8],
        header_bytes: usize,
        ssrc: Ssrc,
        index: u64,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        out.clear();
        let (id, number) = (ssrc.0.to_be_bytes(), index.to_be_bytes());
        match self {
            Self::Gcm { key, salt } => {
                let (header, body) = sealed.split_at_checked(header_bytes)?;
                out.extend_from_slice(body);
                let nonce = rtp_nonce(salt, id, number)?;
                let opened = key.open_in_place(nonce, Aad::from(header), out).ok()?.len();
                out.truncate(opened);
            }
            Self::Cm { key, salt, mac } => {
                let (signed, tag) = sealed.split_last_chunk::<MAC_TAG>()?;
                let mut context = hmac::Context::with_key(mac);
                context.update(signed);
                context.update(number.get(2..6)?);
                let expected = context.sign();
                aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_ref().get(..MAC_TAG)?, tag).ok()?;
                out.extend_from_slice(signed.get(header_bytes..)?);
                // counter mode is its own inverse
                key.less_safe_encrypt(out, counter(salt, id, index)).ok()?;
            }
        }
        Some(())
    }

    /// Seal a compound RTCP packet in place. `index` has 31 bits and was never used before.
    pub fn seal_rtcp(&self, index: u32, packet: &mut Vec<u8>) -> Option<()> {
        let ssrc: [u8; 4] = packet.get(4..RTCP_HEADER)?.try_into().ok()?;
        let trailer = (IS_ENCRYPTED | index).to_be_bytes();
        let (header, payload) = packet.split_at_mut_checked(RTCP_HEADER)?;
        match self {
            Self::Gcm { key, salt } => {
                let aad = rtcp_aad(header, trailer)?;
                let tag = key.seal_in_place_separate_tag(rtcp_nonce(salt, ssrc, index)?, Aad::from(aad), payload);
                packet.extend_from_slice(tag.ok()?.as_ref());
                packet.extend_from_slice(&trailer);
            }
            Self::Cm { key, salt, mac } => {
                key.less_safe_encrypt(payload, counter(salt, ssrc, u64::from(index))).ok()?;
                packet.extend_from_slice(&trailer);
                let tag = hmac::sign(mac, packet);
                packet.extend_from_slice(tag.as_ref().get(..MAC_TAG)?);
            }
        }
        Some(())
    }

    /// Open a compound RTCP packet. None if it is not authentic, or authenticated only.
    pub fn open_rtcp(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let ssrc: [u8; 4] = sealed.get(4..RTCP_HEADER)?.try_into().ok()?;
        let (body, trailer) = match self {
            Self::Gcm { .. } => sealed.split_last_chunk::<RTCP_INDEX>()?,
            Self::Cm { mac, .. } => {
                let (signed, tag) = sealed.split_last_chunk::<MAC_TAG>()?;
                let expected = hmac::sign(mac, signed);
                aws_lc_rs::constant_time::verify_slices_are_equal(expected.as_ref().get(..MAC_TAG)?, tag).ok()?;
                signed.split_last_chunk::<RTCP_INDEX>()?
            }
        };
        let number = u32::from_be_bytes(*trailer);
        let index = number & !IS_ENCRYPTED;
        if number == index || body.len() < RTCP_HEADER {
            return None;
        }
        let mut opened = body.to_vec();
        let (header, payload) = opened.split_at_mut_checked(RTCP_HEADER)?;
        match self {
            Self::Gcm { key, salt } => {
                let aad = rtcp_aad(header, *trailer)?;
                key.open_in_place(rtcp_nonce(salt, ssrc, index)?, Aad::from(aad), payload).ok()?;
                opened.truncate(body.len().checked_sub(GCM_TAG)?);
            }
            Self::Cm { key, salt, .. } => {
                // counter mode is its own inverse
                key.less_safe_encrypt(payload, counter(salt, ssrc, u64::from(index))).ok()?;
            }
        }
        Some(opened)
    }
}

fn salted(mut nonce: [u8; 12], salt: &[u8; 12]) -> Nonce {
    for (byte, salt) in nonce.iter_mut().zip(salt) {
        *byte ^= salt;
    }
    Nonce::assume_unique_for_key(nonce)
}

/// The nonce of an RTP packet (RFC 7714 section 8.1); `index` in eight bytes.
fn rtp_nonce(salt: &[u8; 12], ssrc: [u8; 4], index: [u8; 8]) -> Option<Nonce> {
    let mut nonce = [0; 12];
    nonce.get_mut(2..6)?.copy_from_slice(&ssrc);
    nonce.get_mut(6..12)?.copy_from_slice(index.get(2..)?);
    Some(salted(nonce, salt))
}

/// RFC 7714 section 9.1.
fn rtcp_nonce(salt: &[u8; 12], ssrc: [u8; 4], index: u32) -> Option<Nonce> {
    let mut nonce = [0; 12];
    nonce.get_mut(2..6)?.copy_from_slice(&ssrc);
    nonce.get_mut(8..12)?.copy_from_slice(&index.to_be_bytes());
    Some(salted(nonce, salt))
}

/// RFC 7714 section 9.2.
fn rtcp_aad(header: &[u8], trailer: [u8; RTCP_INDEX]) -> Option<[u8; RTCP_HEADER + RTCP_INDEX]> {
    let mut aad = [0; RTCP_HEADER + RTCP_INDEX];
    aad.get_mut(..RTCP_HEADER)?.copy_from_slice(header);
    aad.get_mut(RTCP_HEADER..)?.copy_from_slice(&trailer);
    Some(aad)
}

/// RFC 3711 section 4.1.1.
fn counter(salt: &[u8; 14], ssrc: [u8; 4], index: u64) -> EncryptionContext {
    let number = (u128::from(u32::from_be_bytes(ssrc)) << 64) ^ (u128::from(index) << 16);
    let mut counter = number.to_be_bytes();
    for (byte, salt) in counter.iter_mut().zip(salt) {
        *byte ^= salt;
    }
    EncryptionContext::Iv128(FixedLength::from(counter))
}
