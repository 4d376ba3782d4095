//! Video within the bandwidth of each subscriber. Audio is never limited.

mod budget;
mod ladder;

pub(crate) use budget::Budget;
pub(crate) use ladder::{Video, allocate};
