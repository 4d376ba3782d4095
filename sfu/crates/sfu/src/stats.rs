//! Cumulative counts of one shard.

macro_rules! counters {
    ($($name:ident),* $(,)?) => {
        /// Counts since the start; whoever reads them takes differences.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct Counters { $(pub $name: u64,)* }

        impl Counters {
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// In the order of [`Counters::NAMES`].
            pub fn values(&self) -> [u64; Self::NAMES.len()] {
                [$(self.$name),*]
            }
        }
    };
}

counters! {
    datagrams_in, bytes_in, datagrams_out, bytes_out,
    media_packets_in, media_packets_forwarded, media_packets_relayed,
    drop_unknown_source, drop_unparsable, drop_unmatched_media, drop_muted, drop_late, drop_data,
    keyframes_asked, keyframes_throttled, keyframe_requests_in,
    data_messages_in, data_messages_out,
    peers_added, peers_failed,
}
