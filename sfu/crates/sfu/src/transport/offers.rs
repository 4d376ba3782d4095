//! Offers of our side, for a connection on which the client only answers.

use str0m::Rtc;
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::channel::{ChannelConfig, Reliability};
use str0m::media::{Direction, MediaKind};

use super::credentials::IceCredentials;
use crate::ids::Mid;
use crate::media::{Channel, Kind};

/// What an offer changes.
pub(crate) struct OfferChanges {
    /// The sections that exist, and whether they send.
    pub sends: Vec<(Mid, bool)>,
    /// New sections that send.
    pub added: Vec<Kind>,
    /// Open the data channels.
    pub channels: bool,
    /// Restart ICE with these credentials.
    pub restart: Option<IceCredentials>,
}

/// An offer of the transport.
pub(crate) struct Offer {
    pub sdp: String,
    /// The new sections.
    pub added: Vec<Mid>,
    /// (old, new) texts: credentials that are not the transport's own.
    pub replaced: Vec<(String, String)>,
}

/// The offer that waits for its answer.
#[derive(Default)]
pub(super) struct Offers {
    pending: Option<SdpPendingOffer>,
    /// Its credentials, if it restarts ICE.
    fresh: Option<IceCredentials>,
}

impl Offers {
    pub fn make(&mut self, rtc: &mut Rtc, changes: OfferChanges) -> Option<Offer> {
        let mut api = rtc.sdp_api();
        for channel in Channel::ALL.into_iter().filter(|_| changes.channels) {
            api.add_channel_with_config(channel_config(channel));
        }
        for (mid, sends) in changes.sends {
            api.set_direction(mid.as_str().into(), if sends { Direction::SendOnly } else { Direction::Inactive });
        }
        let mut added = Vec::new();
        for kind in changes.added {
            let kind = if kind == Kind::Audio { MediaKind::Audio } else { MediaKind::Video };
            added.push(Mid::from(&*api.add_media(kind, Direction::SendOnly, None, None, None)));
        }
        let mut replaced = Vec::new();
        if let Some(fresh) = &changes.restart {
            let own = IceCredentials::from(api.ice_restart(true));
            replaced = vec![(own.ufrag, fresh.ufrag.clone()), (own.password, fresh.password.clone())];
        }
        let (offer, pending) = api.apply()?;
        self.pending = Some(pending);
        self.fresh = changes.restart;
        Some(Offer { sdp: offer.to_sdp_string(), added, replaced })
    }

    /// Returns the credentials of a restart.
    pub fn accept(&mut self, rtc: &mut Rtc, sdp: &str) -> Result<Option<IceCredentials>, String> {
        let pending = self.pending.take().ok_or("no offer waits for an answer")?;
        let answer = SdpAnswer::from_sdp_string(sdp).map_err(|error| error.to_string())?;
        rtc.sdp_api().accept_answer(pending, answer).map_err(|error| error.to_string())?;
        let fresh = self.fresh.take();
        if let Some(fresh) = &fresh {
            rtc.direct_api().set_local_ice_credentials(fresh.into());
        }
        Ok(fresh)
    }
}

fn channel_config(channel: Channel) -> ChannelConfig {
    let label = channel.label().to_owned();
    match channel {
        Channel::Reliable => ChannelConfig { label, ..ChannelConfig::default() },
        Channel::Lossy | Channel::DataTrack => {
            let reliability = Reliability::MaxRetransmits { retransmits: 0 };
            ChannelConfig { label, ordered: false, reliability, ..ChannelConfig::default() }
        }
    }
}
