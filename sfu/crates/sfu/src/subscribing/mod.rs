//! Tracks that the peers of a shard receive: layers, numbers, demand.

mod awaited;
mod feeds;
mod frame_rate;
mod layer_selector;
mod munger;
mod run;
mod subscription;
mod subscriptions;
mod vp8_munger;

pub(crate) use subscriptions::Subscriptions;
