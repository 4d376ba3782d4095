//! The loop of one worker.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tertulia_sfu::{Event, Shard, ShardConfig, ShardId};

use crate::batch_receiver::BatchReceiver;
use crate::batch_sender::BatchSender;
use crate::directory::Directory;
use crate::events::EventQueue;
use crate::mailbox::{Inbox, Mailbox, Order};
use crate::profile::{Layer, Profile};
use crate::published::Published;
use crate::steering::Steering;
use crate::tcp::{Arrival, TcpConnections};
use crate::udp::{UdpSockets, WorkerSocket};

/// Datagrams read before the output that they caused is sent: bounds the delay of the first of them.
const BATCH: usize = 256;
/// Messages of other workers read before the output that they caused is sent.
const MESSAGES: usize = 2048;
/// Commands, and messages, are handled for this long before the socket is looked at again: as many as there are must
/// not make packets late. One that began is finished.
const SLICE: Duration = Duration::from_millis(2);
/// What peers of a worker are told that has lost its state.
const FAULT: &str = "worker fault";
/// Of one worker: one for each address family, and what stands for all connections.
const MAX_SOCKETS: usize = 3;
/// The longest wait of a worker without a deadline.
const MAX_WAIT: Duration = Duration::from_secs(1);

pub(crate) struct Worker {
    pub id: ShardId,
    pub config: ShardConfig,
    pub sockets: UdpSockets,
    pub tcp: RefCell<TcpConnections>,
    pub inbox: Inbox,
    pub mailboxes: Arc<[Mailbox]>,
    pub directory: Arc<Mutex<Directory>>,
    pub events: Arc<EventQueue>,
    pub published: Arc<Published>,
    pub profile: Profile,
    pub steering: Arc<Steering>,
}

impl Worker {
    /// Run until told to stop. A panic that the shard could not put down to one peer costs all peers of this worker;
    /// it goes on with an empty shard.
    pub fn run(&self) {
        let mut shard = Shard::new(self.id, self.config.clone());
        let (mut receiver, mut sender) = (BatchReceiver::default(), BatchSender::default());
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.turn(&mut shard, &mut receiver, &mut sender))) {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => {
                    self.published.faults.fetch_add(1, Ordering::Relaxed);
                    let ended = catch_unwind(AssertUnwindSafe(|| {
                        shard.fail_all(Instant::now(), FAULT);
                        self.deliver(&mut shard, &mut sender);
                    }));
                    if ended.is_err() {
                        self.report_lost();
                    }
                    shard = Shard::new(self.id, self.config.clone());
                }
            }
        }
    }

    /// The shard cannot even say whom it has lost: the directory knows.
    fn report_lost(&self) {
        let lost = self.directory.lock().unwrap_or_else(PoisonError::into_inner).peers_of(self.id);
        self.events.push(lost.into_iter().map(|peer| Event::PeerFailed { peer, reason: FAULT.to_owned() }));
    }

    /// One iteration. False once it has to stop.
    fn turn(&self, shard: &mut Shard, receiver: &mut BatchReceiver, sender: &mut BatchSender) -> bool {
        let ready = self.wait(shard.poll_timeout());
        self.profile.begin();
        let Some(mailbox) = self.mailbox() else { return false };
        mailbox.acknowledge();
        #[cfg(test)]
        tests::fault(self);
        self.read_messages(mailbox, shard);
        for socket in self.sockets.iter().zip(ready).filter_map(|(socket, is_ready)| is_ready.then_some(socket)) {
            self.read_socket(socket, shard, receiver);
        }
        if ready.last() == Some(&true) {
            self.read_connections(shard);
        }
        let is_running = self.read_orders(mailbox, shard);
        let now = Instant::now();
        self.profile.ended(Layer::Handle, now);
        shard.handle_timeout(now);
        self.tcp.borrow_mut().sweep(now);
        loop {
            let is_last = shard.flush_some(now);
            self.profile.ended(Layer::Forward, Instant::now());
            self.deliver(shard, sender);
            self.profile.ended(Layer::Send, Instant::now());
            if is_last {
                break;
            }
        }
        let connections = self.tcp.borrow().counts();
        self.published.publish(&shard.counters(), connections, self.profile.values(sender.counts()));
        self.published.is_busy(self.profile.busy(now));
        is_running
    }

    /// Which of the sockets have something to read.
    fn wait(&self, deadline: Option<Instant>) -> [bool; MAX_SOCKETS] {
        let mut ready = [false; MAX_SOCKETS];
        let deadline = deadline.into_iter().chain(self.steering.apply(Instant::now())).min();
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = left.unwrap_or(MAX_WAIT);
        let timeout = Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
        let Some(mailbox) = self.mailbox() else { return ready };
        // one that is not needed waits for nothing
        let mut fds = [(); MAX_SOCKETS + 1].map(|()| PollFd::new(mailbox.wake_fd(), PollFlags::empty()));
        let tcp = self.tcp.borrow();
        let [first, second, connections, orders] = &mut fds;
        for (fd, socket) in [first, second].into_iter().zip(self.sockets.iter()) {
            *fd = PollFd::new(socket, PollFlags::IN);
        }
        *connections = PollFd::new(&*tcp, PollFlags::IN);
        *orders = PollFd::new(mailbox.wake_fd(), PollFlags::IN);
        // an interrupted wait does no harm: what is ready will still be so in the next one
        let _ = poll(&mut fds, Some(&timeout));
        for (is_ready, fd) in ready.iter_mut().zip(&fds) {
            *is_ready = !fd.revents().is_empty();
        }
        ready
    }

    fn mailbox(&self) -> Option<&Mailbox> {
        self.mailboxes.get(usize::from(self.id.0))
    }

    fn read_messages(&self, mailbox: &Mailbox, shard: &mut Shard) {
        let began = Instant::now();
        let mut now = began;
        for _ in 0..MESSAGES {
            let Some(message) = mailbox.take(&self.inbox) else { return };
            shard.handle_message(now, message);
            now = Instant::now();
            if now.saturating_duration_since(began) >= SLICE {
                break;
            }
        }
        // more wait: come back at once after sending what these have caused
        mailbox.wake();
    }

    /// False if one of them was to stop.
    fn read_orders(&self, mailbox: &Mailbox, shard: &mut Shard) -> bool {
        let began = Instant::now();
        let mut now = began;
        while now.saturating_duration_since(began) < SLICE {
            match self.inbox.orders.try_recv() {
                Ok(Order::Command(command)) => shard.handle_command(now, command),
                Ok(Order::Adopt(connection)) => {
                    let mut tcp = self.tcp.borrow_mut();
                    tcp.adopt(*connection, |arrival| self.take_arrival(now, arrival, shard));
                }
                Ok(Order::TakeOver(stream)) => self.tcp.borrow_mut().take_over(now, stream),
                Ok(Order::Stop) => return false,
                Err(_) => return true,
            }
            now = Instant::now();
        }
        mailbox.wake();
        true
    }

    fn read_socket(&self, socket: &WorkerSocket, shard: &mut Shard, receiver: &mut BatchReceiver) {
        let mut datagrams = 0;
        while datagrams < BATCH {
            self.profile.ended(Layer::Handle, Instant::now());
            let mut arrival = None;
            let received = receiver.receive(socket, |path, data| {
                // those of one call have come at once, as far as can be known
                let now = *arrival.get_or_insert_with(Instant::now);
                shard.handle_datagram(now, path, data);
            });
            self.profile.received();
            self.profile.ended(Layer::Receive, arrival.unwrap_or_else(Instant::now));
            // nothing to read, or the ICMP error of an unreachable client (ECONNREFUSED): the next turn goes on
            let Ok(received) = received else { return };
            if !received.is_full {
                return;
            }
            datagrams += received.datagrams;
        }
    }

    fn read_connections(&self, shard: &mut Shard) {
        let now = Instant::now();
        self.tcp.borrow_mut().handle_ready(now, |arrival| self.take_arrival(now, arrival, shard));
    }

    fn take_arrival(&self, now: Instant, arrival: Arrival<'_>, shard: &mut Shard) {
        match arrival {
            Arrival::Frame(path, data) => shard.handle_datagram(now, path, data),
            Arrival::Foreign(owner, connection) => {
                if let Some(mailbox) = self.mailboxes.get(usize::from(owner)) {
                    mailbox.order(Order::Adopt(connection));
                }
            }
        }
    }

    fn deliver(&self, shard: &mut Shard, sender: &mut BatchSender) {
        let output = shard.output();
        if !output.datagrams.is_empty() {
            let dropped = sender.send(&self.sockets, &output.datagrams);
            self.published.send_full.fetch_add(dropped, Ordering::Relaxed);
            output.datagrams_sent();
        }
        if !output.frames.is_empty() {
            self.tcp.borrow_mut().send(Instant::now(), output.frames.drain(..));
        }
        if !output.events.is_empty() {
            self.events.push(output.events.drain(..));
        }
        for (path, is_bound) in output.paths.drain(..) {
            self.steering.changed(path, self.id, is_bound);
        }
        for (shard, message) in output.messages.drain(..) {
            let Some(mailbox) = self.mailboxes.get(usize::from(shard.0)) else { continue };
            if !mailbox.post(message) {
                self.published.mailbox_full.fetch_add(1, Ordering::Relaxed);
            }
            mailbox.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::atomic::AtomicU16;

    use tertulia_sfu::{Codecs, PeerId};

    use super::*;
    use crate::{MediaCore, Options};

    /// A worker of the core with this port has a defect, once.
    static FAULTY_PORT: AtomicU16 = AtomicU16::new(0);

    pub(super) fn fault(worker: &Worker) {
        let port = worker.sockets.iter().next().map_or(0, |socket| socket.local().port());
        if FAULTY_PORT.compare_exchange(port, 0, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            panic!("on purpose");
        }
    }

    fn core(workers: usize) -> MediaCore {
        let localhost = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let addresses = vec![localhost];
        let tcp_port = Some(0);
        let options = Options { tcp_port, bind: addresses.clone(), addresses, workers, ..Options::default() };
        MediaCore::new(&options).expect("a port")
    }

    fn events(core: &MediaCore, enough: impl Fn(&[Event]) -> bool) -> Vec<Event> {
        let (began, mut events) = (Instant::now(), Vec::new());
        while !enough(&events) {
            assert!(began.elapsed() < Duration::from_secs(20), "{events:?}");
            events.extend(core.drain(1000));
            std::thread::yield_now();
        }
        events
    }

    /// Wait until a peer's commands so far have been handled.
    fn handled(core: &MediaCore, peer: &PeerId) {
        core.offer(peer.clone(), 77, "no offer".into());
        events(core, |events| {
            let is_last =
                |event: &Event| matches!(event, Event::NegotiationFailed { peer: of, offer_id: 77, .. } if of == peer);
            events.iter().any(is_last)
        });
    }

    #[test]
    fn a_worker_that_loses_its_state_says_whom_it_has_lost_and_goes_on() {
        let core = core(2);
        // more than one worker takes at once
        let peers: Vec<PeerId> = (0..50).map(|number| PeerId::from(format!("PA_{number}"))).collect();
        for peer in &peers {
            core.add_peer(peer.clone(), "room", Codecs::ALL);
            handled(&core, peer);
        }
        FAULTY_PORT.store(core.udp_port(), Ordering::Release);
        let failed = |event: &Event| match event {
            Event::PeerFailed { peer, reason } => Some((peer.clone(), reason.clone())),
            _ => None,
        };
        let lost = events(&core, |events| events.iter().filter_map(failed).count() >= 15);
        let lost: Vec<_> = lost.iter().filter_map(failed).collect();
        assert!(lost.iter().all(|(_, reason)| reason == FAULT), "{lost:?}");
        assert_eq!(core.stats()["worker_faults"], 1);
        // those of the other worker are as before, and the worker takes new ones
        let other = peers.iter().find(|peer| lost.iter().all(|(gone, _)| gone != *peer)).expect("some are left");
        handled(&core, other);
        for (peer, _) in &lost {
            core.add_peer(peer.clone(), "room", Codecs::ALL);
            handled(&core, peer);
        }
    }

    #[test]
    fn commands_without_end_do_not_keep_a_worker_from_its_socket() {
        let core = core(1);
        let peer = PeerId::from("PA_busy");
        core.add_peer(peer.clone(), "room", Codecs::ALL);
        let stranger = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
        let target = (Ipv4Addr::LOCALHOST, core.udp_port());
        handled(&core, &peer);
        // some seconds of work
        let section = |mid: usize| format!("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:{mid}\r\na=recvonly\r\na=x\r\n");
        let offer = format!("v=0\r\n{}", (0..1000).map(section).collect::<String>());
        for _ in 0..1000 {
            core.offer(peer.clone(), 1, offer.clone());
        }
        let (began, before) = (Instant::now(), core.stats()["datagrams_in"]);
        stranger.send_to(b"stranger", target).expect("loopback");
        while core.stats()["datagrams_in"] == before {
            assert!(began.elapsed() < Duration::from_secs(5));
            std::thread::yield_now();
        }
        let waited = began.elapsed();
        assert!(waited < Duration::from_millis(200), "the datagram was read after {waited:?}");
        handled(&core, &peer);
        assert!(began.elapsed() > 2 * waited, "the test's commands are too quick to tell: {:?}", began.elapsed());
    }
}
