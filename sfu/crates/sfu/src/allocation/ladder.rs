//! Dividing a limit among the videos of one subscriber.

use std::cmp::Reverse;

use crate::media::Quality;

/// Which of two videos gets a larger layer first: the fields decide in this order, the greater one wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    /// It shows a screen, of which small letters are to be read.
    pub is_screen: bool,
    /// Its publisher speaks, or did so lately.
    pub is_speaker: bool,
    /// What the subscriber says, who may have pinned it.
    pub priority: u32,
    /// The height in pixels at which it is shown; 0 if that is not known.
    pub height: u32,
}

/// A video that a subscriber asks for.
#[derive(Clone, Debug)]
pub(crate) struct Video {
    pub rank: Rank,
    /// Its live layers up to the one asked for, lowest first, and their bitrates in bits per second.
    pub ladder: Vec<(Quality, u64)>,
}

impl Video {
    pub fn lowest_bps(&self) -> Option<u64> {
        self.ladder.first().map(|(_, bps)| *bps)
    }

    pub fn best_bps(&self) -> Option<u64> {
        self.ladder.last().map(|(_, bps)| *bps)
    }
}

/// The best layer for each video, None for one that has to pause. First the lowest layer of every video, then a step
/// for each in order of rank, as long as it fits.
pub(crate) fn allocate(limit_bps: u64, videos: &[Video], may_pause: bool) -> Vec<Option<Quality>> {
    let mut order: Vec<usize> = (0..videos.len()).collect();
    order.sort_by_key(|index| Reverse(videos.get(*index).map(|video| video.rank)));
    let mut left = limit_bps;
    let mut result = vec![None; videos.len()];
    for step in 0..Quality::ALL.len() {
        for index in &order {
            let (Some(video), Some(slot)) = (videos.get(*index), result.get_mut(*index)) else { continue };
            let Some((quality, rate)) = video.ladder.get(step).copied() else { continue };
            let below = step.checked_sub(1).and_then(|below| video.ladder.get(below));
            let is_next = *slot == below.map(|(quality, _)| *quality);
            let cost = rate.saturating_sub(below.map_or(0, |(_, rate)| *rate));
            if is_next && (cost <= left || (step == 0 && !may_pause)) {
                left = left.saturating_sub(cost);
                *slot = Some(quality);
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn video(priority: u32) -> Video {
        ranked(Rank { priority, ..Rank::default() })
    }

    fn ranked(rank: Rank) -> Video {
        Video { rank, ladder: vec![(Quality::Low, 100), (Quality::Medium, 400), (Quality::High, 1500)] }
    }

    #[test]
    fn every_video_gets_its_lowest_layer_before_any_gets_more() {
        let videos = [video(1), video(1), video(1)];
        let low = Some(Quality::Low);
        assert_eq!(allocate(300, &videos, true), [low, low, low]);
        assert_eq!(allocate(600, &videos, true), [Some(Quality::Medium), low, low]);
        assert_eq!(allocate(10_000, &videos, true), [Some(Quality::High); 3]);
    }

    #[test]
    fn higher_priority_comes_first() {
        let videos = [video(1), video(9)];
        assert_eq!(allocate(500, &videos, true), [Some(Quality::Low), Some(Quality::Medium)]);
        assert_eq!(allocate(100, &videos, true), [None, Some(Quality::Low)]);
    }

    #[test]
    fn a_screen_comes_before_a_speaker_a_pinned_one_and_a_large_one() {
        let (priority, height) = (1, 180);
        let usual = Rank { priority, height, ..Rank::default() };
        let videos = [
            ranked(usual),
            ranked(Rank { height: 720, ..usual }),
            ranked(Rank { priority: 2, ..usual }),
            ranked(Rank { is_speaker: true, ..usual }),
            ranked(Rank { is_screen: true, ..usual }),
        ];
        for count in 0..=videos.len() {
            let mut expected = vec![Some(Quality::Low); videos.len() - count];
            expected.extend(vec![Some(Quality::Medium); count]);
            assert_eq!(allocate(500 + 300 * count as u64, &videos, true), expected);
        }
    }

    #[test]
    fn the_lowest_layers_are_sent_even_when_they_do_not_fit() {
        assert_eq!(allocate(10, &[video(1), video(1)], false), [Some(Quality::Low); 2]);
    }

    #[test]
    fn the_sum_fits() {
        let rate = |cap: Option<Quality>| cap.map_or(0, |quality| [100, 400, 1500][quality as usize]);
        for limit in (0..6000).step_by(37) {
            let videos = [video(3), video(1), video(2), video(1)];
            let sum: u64 = allocate(limit, &videos, true).into_iter().map(rate).sum();
            assert!(sum <= limit, "{sum} of {limit}");
        }
    }
}
