//! Offers of our side to one peer: one at a time waits for its answer.

/// The state of our offers.
#[derive(Default)]
pub(crate) struct Offering {
    /// The data channels have to be opened.
    opens_channels: bool,
    last_id: i64,
    /// The offer without an answer.
    open: Option<String>,
    restarts: bool,
}

/// An offer as signalling sends it: its number and description.
pub(crate) type Numbered = (i64, String);

impl Offering {
    pub fn new(opens_channels: bool) -> Self {
        Self { opens_channels, ..Self::default() }
    }

    /// The offer that has no answer yet.
    pub fn open(&self) -> Option<Numbered> {
        self.open.clone().map(|sdp| (self.last_id, sdp))
    }

    /// Whether there is something to offer besides tracks.
    pub fn is_due(&self) -> bool {
        self.opens_channels || self.restarts
    }

    /// Restart ICE with the next offer.
    pub fn restart(&mut self) {
        self.restarts = true;
    }

    /// What the next offer has to do: open the data channels, restart ICE.
    pub fn take_due(&mut self) -> (bool, bool) {
        (std::mem::take(&mut self.opens_channels), std::mem::take(&mut self.restarts))
    }

    /// An offer was made.
    pub fn made(&mut self, sdp: String) -> Numbered {
        self.last_id += 1;
        self.open = Some(sdp.clone());
        (self.last_id, sdp)
    }

    /// An answer came. False if it is to no open offer. Some clients do not say to which (0).
    pub fn answered(&mut self, offer_id: i64) -> bool {
        (offer_id == 0 || offer_id == self.last_id) && self.open.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_counts_once_and_for_the_open_offer_only() {
        let mut offering = Offering::new(true);
        assert!(offering.is_due() && !offering.answered(0));
        assert_eq!(offering.take_due(), (true, false));
        assert_eq!(offering.made("a".into()), (1, "a".into()));
        assert_eq!(offering.open(), Some((1, "a".into())));
        assert!(!offering.answered(2) && offering.answered(1) && !offering.answered(1));
        offering.made("b".into());
        assert!(!offering.answered(1) && offering.answered(0));
        assert!(!offering.is_due());
        offering.restart();
        assert_eq!(offering.take_due(), (false, true));
    }
}
