//! Why a connection cannot go on.

use std::fmt;

use str0m::RtcError;

/// Why a connection cannot go on.
#[derive(Debug)]
pub(crate) enum TransportError {
    Rtc(RtcError),
    TooManyStreams,
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rtc(error) => error.fmt(f),
            Self::TooManyStreams => f.write_str("too many streams"),
        }
    }
}

impl From<RtcError> for TransportError {
    fn from(error: RtcError) -> Self {
        Self::Rtc(error)
    }
}
