//! Everything that one connection seals: there is no other way to the key, so that no index is sealed twice.

use super::cipher::Cipher;
use super::indices::Indices;
use super::keys::Exported;
use crate::ids::Ssrc;

/// SRTCP indices have 31 bits (RFC 3711 section 3.4).
const RTCP_END: u32 = 1 << 31;

/// One of the streams of a [`Sealer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamKey(usize);

/// Seals what we send.
pub struct Sealer {
    rtp: Cipher,
    rtcp: Cipher,
    /// Never shorter: a stream that comes back goes on where it was.
    streams: Vec<Indices>,
    next_rtcp: u32,
}

/// Opens what the other side has sealed.
pub struct Opener {
    rtp: Cipher,
    rtcp: Cipher,
}

/// What seals our packets, and opens the other side's. It takes the keys away: there is no second sealer with them.
/// None if the keys are of a profile that is not supported.
#[expect(clippy::needless_pass_by_value, reason = "nobody is to keep them")]
pub fn with_keys(keys: Exported) -> Option<(Sealer, Opener)> {
    Some((Sealer::new(&keys)?, Opener::new(&keys)?))
}

impl Sealer {
    fn new(keys: &Exported) -> Option<Self> {
        let master = keys.ours()?;
        Some(Self { rtp: Cipher::rtp(&master)?, rtcp: Cipher::rtcp(&master)?, streams: Vec::new(), next_rtcp: 0 })
    }

    /// The stream of this SSRC.
    pub fn stream(&mut self, ssrc: Ssrc) -> StreamKey {
        let known = self.streams.iter().position(|stream| stream.ssrc() == ssrc);
        StreamKey(known.unwrap_or_else(|| {
            self.streams.push(Indices::new(ssrc));
            self.streams.len() - 1
        }))
    }

    /// Bytes that sealing adds to an RTP packet.
    pub fn rtp_overhead(&self) -> usize {
        self.rtp.rtp_overhead()
    }

    /// Bytes that sealing adds to an RTCP packet.
    pub fn rtcp_overhead(&self) -> usize {
        self.rtcp.rtcp_overhead()
    }

    /// Write an RTP packet with `write`, which is told SSRC and index and returns the bytes of the header, to the end of
    /// `out`, and seal it. None, and nothing is written, if this index was used before.
    pub fn seal_rtp(
        &mut self,
        stream: StreamKey,
        index: u64,
        out: &mut Vec<u8>,
        write: impl FnOnce(Ssrc, u64, &mut Vec<u8>) -> usize,
    ) -> Option<()> {
        let claimed = self.streams.get_mut(stream.0)?.claim(index)?;
        let start = out.len();
        let header_bytes = write(claimed.ssrc(), claimed.index(), out);
        let sealed = self.rtp.seal_rtp(&claimed, out, start, header_bytes);
        if sealed.is_none() {
            out.truncate(start);
        }
        sealed
    }

    /// Seal a compound RTCP packet in place. None once all indices are used up.
    pub fn seal_rtcp(&mut self, packet: &mut Vec<u8>) -> Option<()> {
        let index = self.next_rtcp;
        if index >= RTCP_END {
            return None;
        }
        self.next_rtcp += 1;
        self.rtcp.seal_rtcp(index, packet)
    }
}

impl Opener {
    fn new(keys: &Exported) -> Option<Self> {
        let master = keys.theirs()?;
        Some(Self { rtp: Cipher::rtp(&master)?, rtcp: Cipher::rtcp(&master)? })
    }

    /// The payload of a packet whose header has so many bytes, put into `out`. None for one that is not authentic.
    pub fn open_rtp(
        &self,
        sealed: &[u8],
        header_bytes: usize,
        ssrc: Ssrc,
        index: u64,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        self.rtp.open_rtp(sealed, header_bytes, ssrc, index, out)
    }

    /// A compound RTCP packet; None if it is not authentic. One that comes again is opened again.
    pub fn open_rtcp(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        self.rtcp.open_rtcp(sealed)
    }
}

#[cfg(test)]
mod tests {
    use str0m::crypto::dtls::SrtpProfile;

    use super::*;

    const SSRC: Ssrc = Ssrc(0xcafe_babe);
    const PAYLOAD: [u8; 16] = [0xab; 16];

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex")).collect()
    }

    /// Keys of which both sides have the same.
    fn keys(profile: SrtpProfile, key: &str, salt: &str) -> Exported {
        let (key, salt) = (hex(key), hex(salt));
        Exported::new(profile, &[&key[..], &key, &salt, &salt].concat(), true)
    }

    fn random_keys(profile: SrtpProfile, is_client: bool) -> Exported {
        let material: Vec<u8> = (0..profile.keying_material_len()).map(|at| (at * 31 + 7) as u8).collect();
        Exported::new(profile, &material, is_client)
    }

    fn seal(sealer: &mut Sealer, index: u64) -> Option<Vec<u8>> {
        let stream = sealer.stream(SSRC);
        let mut out = Vec::new();
        sealer.seal_rtp(stream, index, &mut out, |ssrc, index, out| {
            out.extend_from_slice(&hex("800f"));
            out.extend_from_slice(&(index as u16).to_be_bytes());
            out.extend_from_slice(&hex("decafbad"));
            out.extend_from_slice(&ssrc.0.to_be_bytes());
            out.extend_from_slice(&PAYLOAD);
            12
        })?;
        Some(out)
    }

    fn report() -> Vec<u8> {
        [&hex("81c8000bcafebabe")[..], &PAYLOAD].concat()
    }

    /// The packets and keys with which libsrtp checks itself.
    #[test]
    fn packets_are_sealed_as_libsrtp_seals_them() {
        let (cm_key, cm_salt) = ("e1f97a0d3e018be0d64fa32c06de4139", "0ec675ad498afeebb6960b3aabe6");
        let (gcm_key, gcm_salt) = ("000102030405060708090a0b0c0d0e0f", "a0a1a2a3a4a5a6a7a8a9aaab");
        let rows = [
            (
                keys(SrtpProfile::AES128_CM_SHA1_80, cm_key, cm_salt),
                "800f1234decafbadcafebabe4e55dc4ce79978d88ca4d215949d2402b78d6acc99ea179b8dbb",
                "81c8000bcafebabe7128035be487b9bdbef89041f977a5a880000001993e08cd54d6c1230798",
            ),
            (
                keys(SrtpProfile::AEAD_AES_128_GCM, gcm_key, gcm_salt),
                "800f1234decafbadcafebabec5002ede04cfdd2eb91159e0880aa06ed2976826f796b201df3131a127e8a392",
                "81c8000bcafebabec98b8b5df0392a55852b6c21ac8e7025c52c6fbea2b3b446ea31123ba88ce61e80000001",
            ),
        ];
        for (keys, rtp, rtcp) in rows {
            let mut sealer = Sealer::new(&keys).expect("keys");
            assert_eq!(seal(&mut sealer, 0x1234), Some(hex(rtp)));
            sealer.next_rtcp = 1;
            let mut packet = report();
            sealer.seal_rtcp(&mut packet).expect("an index");
            assert_eq!(packet, hex(rtcp));
            assert_eq!(Opener::new(&keys).expect("keys").open_rtcp(&packet), Some(report()));
        }
    }

    #[test]
    fn what_one_side_seals_the_other_opens_and_nothing_else() {
        for profile in SrtpProfile::ALL {
            let mut sealer = Sealer::new(&random_keys(*profile, true)).expect("keys");
            let opener = Opener::new(&random_keys(*profile, false)).expect("keys");
            let index = 70_000;
            let packet = seal(&mut sealer, index).expect("an index");
            let open = |packet: &[u8], ssrc, index| {
                let mut opened = Vec::new();
                opener.open_rtp(packet, 12, ssrc, index, &mut opened).map(|()| opened)
            };
            assert_eq!(open(&packet, SSRC, index), Some(PAYLOAD.to_vec()));
            assert_eq!(open(&packet, SSRC, index - (1 << 16)), None);
            assert_eq!(open(&packet, Ssrc(1), index).filter(|opened| opened == &PAYLOAD), None);
            for at in 0..packet.len() {
                let mut other = packet.clone();
                other[at] ^= 1;
                assert_eq!(open(&other, SSRC, index), None, "{profile}, byte {at}");
                assert_eq!(open(&packet[..at], SSRC, index), None);
            }
            for _ in 0..3 {
                let mut packet = report();
                sealer.seal_rtcp(&mut packet).expect("an index");
                assert_eq!(packet.len(), report().len() + sealer.rtcp_overhead());
                assert_eq!(opener.open_rtcp(&packet), Some(report()));
                for at in 0..packet.len() {
                    let mut other = packet.clone();
                    other[at] ^= 1;
                    assert_eq!(opener.open_rtcp(&other), None, "{profile}, byte {at}");
                    assert_eq!(opener.open_rtcp(&packet[..at]), None);
                }
            }
        }
    }

    #[test]
    fn no_index_is_sealed_twice() {
        for profile in SrtpProfile::ALL {
            let mut sealer = Sealer::new(&random_keys(*profile, true)).expect("keys");
            let first = seal(&mut sealer, 70_000).expect("sealed");
            assert_eq!(seal(&mut sealer, 70_000), None);
            assert_ne!(seal(&mut sealer, 70_000 - 65_536), Some(first.clone()), "that is too old");
            // a stream that was gone and comes back goes on where it was
            let again = sealer.stream(SSRC);
            assert_eq!(again, sealer.stream(SSRC));
            assert_eq!(seal(&mut sealer, 70_000), None);
            let (one, other) = (seal(&mut sealer, 70_001), seal(&mut sealer, 70_002));
            assert!(one.is_some() && other.is_some() && one.map(|it| it[12..].to_vec()) != Some(first[12..].to_vec()));
        }
    }

    #[test]
    fn reports_end_with_their_indices() {
        let mut sealer = Sealer::new(&random_keys(SrtpProfile::AEAD_AES_256_GCM, true)).expect("keys");
        sealer.next_rtcp = RTCP_END - 1;
        assert!(sealer.seal_rtcp(&mut report()).is_some());
        assert!(sealer.seal_rtcp(&mut report()).is_none());
        assert!(sealer.seal_rtcp(&mut report()).is_none());
    }
}
