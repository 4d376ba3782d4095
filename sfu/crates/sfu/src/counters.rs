//! Cumulative counts of one shard.

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {
        /// Counts since the shard started; rates are differences of two readings.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters { $($(#[$doc])* pub $name: u64,)* }

        impl Counters {
            /// The names of all counters.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// All counts, in the order of [`Counters::NAMES`].
            pub fn values(&self) -> [u64; Self::NAMES.len()] {
                [$(self.$name),*]
            }
        }
    };
}

counters! {
    /// Datagrams received on the shard's socket.
    datagrams_in,
    /// Their UDP payload in bytes.
    bytes_in,
    /// Datagrams sent.
    datagrams_out,
    /// Their UDP payload in bytes.
    bytes_out,
    /// RTP packets received from publishers.
    media_packets_in,
    /// RTP packets written to subscribers: one packet to ten subscribers counts ten times.
    media_packets_forwarded,
    /// RTP packets relayed to other shards.
    media_packets_relayed,
    /// Datagrams of an address that belongs to no peer.
    drop_unknown_source,
    /// RTP packets of a stream that belongs to no published track.
    drop_unmatched_media,
    /// Datagrams and RTP packets of a peer that sends more than is looked at, or forwarded.
    drop_flood,
    /// RTP packets of a muted track.
    drop_muted,
    /// Data messages for a peer whose channel is closed or full.
    drop_data,
    /// Datagrams with data of a client that had to wait; it sends them again.
    drop_throttled,
    /// Key frames requested from publishers.
    keyframes_asked,
    /// Key frame requests held back because the last one was too recent.
    keyframes_throttled,
    /// Key frame requests received from subscribers.
    keyframe_requests_in,
    /// Data messages received.
    data_messages_in,
    /// Data messages sent.
    data_messages_out,
    /// Peers added.
    peers_added,
    /// Peers removed because of an error.
    peers_failed,
}
