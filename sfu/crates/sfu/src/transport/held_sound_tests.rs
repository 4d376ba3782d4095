use super::super::codec::CodecFormat;
use super::super::packet::Packet;
use super::*;

const MS: Duration = Duration::from_millis(1);
const SOUND: Ssrc = Ssrc(1);
const TICKS: u32 = 960;

fn received(is_sound: bool, ssrc: Ssrc, number: u32, arrival: Instant) -> ReceivedPacket {
    let packet = Packet::of(number.into(), number * TICKS, &[1], arrival);
    ReceivedPacket { ssrc, codec: CodecFormat::any(is_sound), packet }
}

/// Packets that arrive as given, in order: when each goes on, by its number.
fn run(
    held: &mut HeldSound,
    start: Instant,
    hold: impl Fn(Instant) -> Duration,
    arrivals: &[(u32, Instant)],
) -> Vec<(u32, Duration)> {
    let mut passed = Vec::new();
    let mut note = |at: Instant, received: &ReceivedPacket| {
        passed.push((received.packet.sequence as u32, at.saturating_duration_since(start)));
    };
    for (number, arrival) in arrivals {
        while let Some(at) = held.next_at().filter(|at| at <= arrival) {
            held.take(at).iter().for_each(|received| note(at, received));
        }
        let passing = held.pass(*arrival, hold(*arrival), received(true, SOUND, *number, *arrival));
        passing.iter().for_each(|received| note(*arrival, received));
    }
    while let Some(at) = held.next_at() {
        held.take(at).iter().for_each(|received| note(at, received));
    }
    passed
}

#[test]
fn sound_becomes_later_little_by_little_and_answers_fall_into_their_places() {
    let (start, hold) = (Instant::now(), 400 * MS);
    let sent = |number: u32| start + 20 * MS * number;
    let mut arrivals: Vec<_> = (0..600).map(|number| (number, sent(number))).collect();
    for (number, arrival) in &mut arrivals {
        if *number > 300 && number.is_multiple_of(3) {
            *arrival += 380 * MS;
        }
    }
    arrivals.sort_by_key(|(_, arrival)| *arrival);
    let passed = run(&mut HeldSound::default(), start, |_| hold, &arrivals);
    assert!(passed.windows(2).all(|pair| pair[1].0 == pair[0].0 + 1), "in order, and all of them");
    let gaps = passed.windows(2).map(|pair| pair[1].1 - pair[0].1);
    assert!(gaps.clone().max() <= Some(25 * MS) && gaps.min() >= Some(17 * MS));
    assert_eq!(passed.first(), Some(&(0, Duration::ZERO)));
    assert_eq!(passed.last().map(|(number, at)| *at - 20 * MS * *number), Some(hold));
}

#[test]
fn what_is_later_than_that_goes_on_at_once() {
    let (start, hold) = (Instant::now(), 400 * MS);
    let mut arrivals: Vec<_> = (0..600).map(|number| (number, start + 20 * MS * number)).collect();
    let (_, late) = arrivals.remove(500);
    arrivals.push((500, late + 900 * MS));
    arrivals.sort_by_key(|(_, arrival)| *arrival);
    let passed = run(&mut HeldSound::default(), start, |_| hold, &arrivals);
    assert_eq!(passed.iter().find(|(number, _)| *number == 500), Some(&(500, late + 900 * MS - start)));
}

#[test]
fn it_ends_without_a_gap_and_leaves_nothing_behind() {
    let start = Instant::now();
    let arrivals: Vec<_> = (0..1000).map(|number| (number, start + 20 * MS * number)).collect();
    let mut held = HeldSound::default();
    let until = start + 10_000 * MS;
    let passed = run(&mut held, start, |now| if now < until { 300 * MS } else { Duration::ZERO }, &arrivals);
    assert!(passed.windows(2).all(|pair| pair[1].0 == pair[0].0 + 1));
    assert!(passed.windows(2).all(|pair| pair[1].1 - pair[0].1 >= 17 * MS));
    assert_eq!(passed.last().map(|(number, at)| *at - 20 * MS * *number), Some(Duration::ZERO));
    assert!(held.0.is_empty());
}

#[test]
fn a_stream_that_has_ended_is_forgotten() {
    let (start, other) = (Instant::now(), Ssrc(2));
    let mut held = HeldSound::default();
    run(&mut held, start, |_| 300 * MS, &(0..500).map(|number| (number, start + 20 * MS * number)).collect::<Vec<_>>());
    let pass = |held: &mut HeldSound, number, now| held.pass(now, Duration::ZERO, received(true, other, number, now));
    let ended = start + 10_000 * MS;
    pass(&mut held, 0, ended);
    assert_eq!(held.0.len(), 1, "it may go on");
    pass(&mut held, 1, ended + FORGOTTEN_AFTER);
    assert!(held.0.is_empty());
}

#[test]
fn pictures_pass() {
    let now = Instant::now();
    let mut held = HeldSound::default();
    assert!((0..100).all(|number| held.pass(now, 300 * MS, received(false, SOUND, number, now)).is_some()));
}

#[test]
fn no_more_is_held_than_what_is_bounded() {
    let now = Instant::now();
    let mut held = HeldSound::default();
    let hold = |held: &mut HeldSound, number| held.pass(now, 300 * MS, received(true, SOUND, number, now));
    let passed = (0..10 * MAX_HELD as u32).filter(|number| hold(&mut held, number * 50).is_some()).count();
    assert!(passed >= 9 * MAX_HELD, "{passed}");
    assert!(held.0.values().all(|stream| stream.held.len() <= MAX_HELD));
}

#[test]
fn sound_is_held_where_much_is_lost_and_for_a_while_after_it() {
    let start = Instant::now();
    let after = |reports: &[(f64, Duration)]| {
        let mut patience = Patience::default();
        for (second, (loss, answer)) in (0u32..).zip(reports) {
            patience.reported(start + second * Duration::from_secs(1), *loss, *answer);
        }
        patience.hold()
    };
    assert_eq!(after(&[(0.1, 300 * MS); 5]), Duration::ZERO);
    let bad = [(0.3, 150 * MS); 5];
    assert_eq!((after(&bad), after(&[(0.3, 20 * MS); 5])), (400 * MS, 140 * MS));
    assert_eq!(after(&[(0.3, 2000 * MS)]), MAX_HOLD);
    assert_eq!(after(&[(0.16, 150 * MS); 5]), 250 * MS);
    assert_eq!(
        after(&[&bad[..], &[(0.16, 250 * MS); 60]].concat()),
        400 * MS,
        "the border is not crossed again and again"
    );
    assert_eq!(after(&[&bad[..], &[(0.0, 150 * MS); 9]].concat()), 400 * MS);
    assert_eq!(after(&[&bad[..], &[(0.0, 150 * MS); 12]].concat()), Duration::ZERO);
}
