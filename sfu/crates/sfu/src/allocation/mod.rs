//! Video within the bandwidth of each subscriber. Audio is never limited.

mod budget;
mod congestion;
mod ladder;

pub(crate) use budget::Budget;
pub(crate) use ladder::{Video, allocate};
