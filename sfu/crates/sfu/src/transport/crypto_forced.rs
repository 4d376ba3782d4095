//! Handshakes that end with a profile of the test's choice: our DTLS and that of test clients agree on one only.

use super::*;
use str0m::crypto::dtls::SrtpProfile;

/// The cryptography of a connection of ours and of its client, who both use this profile.
pub fn forced(profile: SrtpProfile) -> (CryptoProvider, CryptoProvider) {
    let handshakes: &'static Handshakes = Box::leak(Box::new(Handshakes::ending_with(profile)));
    let ours = CryptoProvider { dtls_provider: handshakes, ..provider() };
    (ours, CryptoProvider { dtls_provider: handshakes, ..from_feature_flags() })
}
