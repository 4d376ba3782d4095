//! Tracks that the peers of a shard publish: layers, key frames, speech levels, and the shards that follow them.

mod history;
mod layers;
mod publications;
mod published_track;
mod speakers;

pub(crate) use publications::Publications;
