//! Video within the bandwidth of each subscriber. Audio is never limited.

mod arrivals;
mod budget;
mod congestion;
mod estimator;
mod ladder;

pub(crate) use budget::Budget;
pub(crate) use ladder::{Rank, Video, allocate};
