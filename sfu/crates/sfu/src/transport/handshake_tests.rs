use std::collections::VecDeque;

use super::*;

const MS: Duration = Duration::from_millis(1);
const ONE_WAY: Duration = Duration::from_millis(25);
const GIVEN_UP: Duration = Duration::from_secs(30);

/// One side of a handshake, and the packets on their way to it.
struct Side {
    dtls: Box<dyn DtlsInstance>,
    incoming: VecDeque<(Instant, Vec<u8>)>,
    is_connected: bool,
}

impl Side {
    fn new(provider: &dyn DtlsProvider, certificate: &DtlsCert, now: Instant, is_active: bool) -> Self {
        let mut dtls = provider.new_dtls(certificate, now, DtlsVersion::Dtls12, None).expect("an instance");
        dtls.set_active(is_active);
        Self { dtls, incoming: VecDeque::new(), is_connected: false }
    }

    /// Take what has arrived; what is to be sent. None: it has failed.
    fn step(&mut self, now: Instant) -> Option<Vec<Vec<u8>>> {
        let mut sent = self.poll();
        while self.incoming.front().is_some_and(|(at, _)| *at <= now) {
            let (_, packet) = self.incoming.pop_front().expect("a packet");
            self.dtls.handle_packet(&packet).ok()?;
            sent.extend(self.poll());
        }
        self.dtls.handle_timeout(now).ok()?;
        sent.extend(self.poll());
        Some(sent)
    }

    fn poll(&mut self) -> Vec<Vec<u8>> {
        let (mut sent, mut buffer) = (Vec::new(), vec![0; 4096]);
        loop {
            match self.dtls.poll_output(&mut buffer) {
                DtlsOutput::Packet(packet) => sent.push(packet.to_vec()),
                DtlsOutput::Timeout(_) => return sent,
                DtlsOutput::Connected => self.is_connected = true,
                _ => {}
            }
        }
    }
}

/// How long a browser takes to connect to a server whose handshakes these are, where so much is lost.
fn connected_after(server: &dyn DtlsProvider, certificate: &DtlsCert, loss: f64, seed: u32) -> Option<Duration> {
    // as libwebrtc repeats itself
    let browser = Handshakes { repeated_after: 50 * MS, profile: None };
    let (start, mut random) = (Instant::now(), seed);
    let mut is_lost = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(random >> 8) / f64::from(1 << 24) < loss
    };
    let mut sides = [Side::new(&browser, certificate, start, true), Side::new(server, certificate, start, false)];
    let mut now = start;
    while now < start + GIVEN_UP {
        now += 5 * MS;
        for side in 0..2 {
            let sent = sides[side].step(now)?;
            let arrived = sent.into_iter().filter(|_| !is_lost()).map(|packet| (now + ONE_WAY, packet));
            sides[1 - side].incoming.extend(arrived);
        }
        if sides.iter().all(|side| side.is_connected) {
            return Some(now - start);
        }
    }
    None
}

#[test]
fn a_browser_connects_soon_where_much_is_lost() {
    let certificate = Handshakes::OURS.generate_certificate().expect("a certificate");
    let times = (1..=200).map(|seed| connected_after(&Handshakes::OURS, &certificate, 0.3, seed));
    let mut times: Vec<_> = times.map(|time| time.unwrap_or(GIVEN_UP)).collect();
    times.sort_unstable();
    // str0m's own: 270 ms, 3.4 s
    assert!(times[100] < 500 * MS && times[180] < 2000 * MS, "{times:?}");
}
