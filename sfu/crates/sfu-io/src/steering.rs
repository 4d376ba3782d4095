//! Datagrams go to the socket of the worker that owns their peer. The kernel spreads clients over the sockets of a port by a
//! hash that knows nothing of peers; what arrives at another worker is passed on, which costs a copy and a wake-up each.
//! A filter of the group (socket(7): SO_ATTACH_REUSEPORT_CBPF) chooses by the client's port instead, where it is known. It
//! needs no privilege. Without it, all works as before.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::mem;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use libc::{BPF_ABS, BPF_H, BPF_JA, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET};
use libc::{SKF_NET_OFF, c_int, sock_filter, sock_fprog, socklen_t};
use tertulia_sfu::{Path, Protocol, ShardId};

use crate::udp::UdpSockets;

/// What clients change is applied this often.
const EVERY: Duration = Duration::from_millis(100);
/// Ports in a filter: the kernel takes 4,096 instructions (BPF_MAXINSNS), and each one takes five.
const MAX_PORTS: usize = 800;
/// Where the client's port is behind the beginning of the network header: without IP options, which nobody sends.
const PORT_IN_IPV4: i32 = 20;
const PORT_IN_IPV6: i32 = 40;
/// No socket has this index: the kernel goes on with its hash.
const ANY: u32 = u32::MAX;

/// Of all workers' sockets.
pub(crate) struct Steering {
    groups: Vec<Group>,
    clients: Mutex<Clients>,
}

/// The sockets of one address family, by one of them.
struct Group {
    is_ipv4: bool,
    socket: UdpSocket,
}

#[derive(Default)]
struct Clients {
    owners: HashMap<SocketAddr, ShardId>,
    is_changed: bool,
    applied: Option<Instant>,
}

impl Steering {
    /// The sockets must be in their groups in the order of the workers.
    pub fn new(workers: &[UdpSockets]) -> io::Result<Self> {
        let mut groups = Vec::new();
        if let [first, _, ..] = workers {
            for socket in first.iter() {
                groups.push(Group { is_ipv4: socket.local().is_ipv4(), socket: socket.as_udp().try_clone()? });
            }
        }
        Ok(Self { groups, clients: Mutex::default() })
    }

    /// A path is a peer's of this worker now, or no longer.
    pub fn changed(&self, path: Path, owner: ShardId, is_bound: bool) {
        if self.groups.is_empty() || path.protocol != Protocol::Udp {
            return;
        }
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let before = clients.owners.get(&path.remote).copied();
        if is_bound {
            clients.owners.insert(path.remote, owner);
            clients.is_changed |= before != Some(owner);
        } else if before == Some(owner) {
            clients.owners.remove(&path.remote);
            clients.is_changed = true;
        }
    }

    /// Apply what has changed, if it is time; returns when it will be.
    pub fn apply(&self, now: Instant) -> Option<Instant> {
        // another worker does it
        let mut clients = self.clients.try_lock().ok()?;
        if !clients.is_changed {
            return None;
        }
        let due = clients.applied.map_or(now, |applied| applied + EVERY);
        if now < due {
            return Some(due);
        }
        (clients.applied, clients.is_changed) = (Some(now), false);
        for group in &self.groups {
            // best effort: a kernel before Linux 4.5 cannot
            let _ = attach(&group.socket, &filter(&ports(&clients.owners, group.is_ipv4), group.is_ipv4));
        }
        None
    }
}

/// The owners of all ports that clients of one family have; without those that clients of several workers have.
fn ports(owners: &HashMap<SocketAddr, ShardId>, is_ipv4: bool) -> Vec<(u16, ShardId)> {
    let mut ports: BTreeMap<u16, Option<ShardId>> = BTreeMap::new();
    for (client, owner) in owners.iter().filter(|(client, _)| client.is_ipv4() == is_ipv4) {
        let known = ports.entry(client.port()).or_insert(Some(*owner));
        *known = known.filter(|known| known == owner);
    }
    ports.into_iter().filter_map(|(port, owner)| Some((port, owner?))).take(MAX_PORTS).collect()
}

fn instruction(code: u32, on_true: u8, on_false: u8, value: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: on_true, jf: on_false, k: value }
}

/// A program that returns the index of the socket for a client's port. `ports`: in order.
fn filter(ports: &[(u16, ShardId)], is_ipv4: bool) -> Vec<sock_filter> {
    let at = SKF_NET_OFF + if is_ipv4 { PORT_IN_IPV4 } else { PORT_IN_IPV6 };
    let mut program = vec![instruction(BPF_LD | BPF_H | BPF_ABS, 0, 0, at as u32)];
    search(ports, &mut program);
    program
}

/// Append a search by halves.
fn search(ports: &[(u16, ShardId)], program: &mut Vec<sock_filter>) {
    match ports {
        [] => program.push(instruction(BPF_RET | BPF_K, 0, 0, ANY)),
        [(port, owner)] => {
            program.push(instruction(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, u32::from(*port)));
            program.push(instruction(BPF_RET | BPF_K, 0, 0, u32::from(owner.0)));
            program.push(instruction(BPF_RET | BPF_K, 0, 0, ANY));
        }
        _ => {
            let (low, high) = ports.split_at(ports.len() / 2);
            let middle = high.first().map_or(0, |(port, _)| u32::from(*port));
            program.push(instruction(BPF_JMP | BPF_JGE | BPF_K, 0, 1, middle));
            // the way to the upper half may be longer than a condition can jump
            let jump = program.len();
            program.push(instruction(BPF_JMP | BPF_JA, 0, 0, 0));
            search(low, program);
            let distance = program.len() - jump - 1;
            if let Some(jump) = program.get_mut(jump) {
                jump.k = distance as u32;
            }
            search(high, program);
        }
    }
}

fn attach(socket: &UdpSocket, program: &[sock_filter]) -> io::Result<()> {
    let filter = sock_fprog { len: program.len() as u16, filter: program.as_ptr().cast_mut() };
    let length = mem::size_of_val(&filter) as socklen_t;
    let option: c_int = libc::SO_ATTACH_REUSEPORT_CBPF;
    // SAFETY: the descriptor is open while `socket` is borrowed, and the kernel only reads `filter`, of that length, and the
    // program that it points at, which lives until the end of this function.
    let result =
        unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, (&raw const filter).cast(), length) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::udp::bind_group;

    /// What a program returns for a client's port.
    fn run(program: &[sock_filter], port: u16) -> u32 {
        let mut at = 1;
        loop {
            let it = program[at];
            let code = u32::from(it.code);
            let passed = |holds: bool| usize::from(if holds { it.jt } else { it.jf });
            at += 1;
            if code == BPF_RET | BPF_K {
                return it.k;
            } else if code == BPF_JMP | BPF_JA {
                at += it.k as usize;
            } else if code == BPF_JMP | BPF_JGE | BPF_K {
                at += passed(u32::from(port) >= it.k);
            } else {
                assert_eq!(code, BPF_JMP | BPF_JEQ | BPF_K);
                at += passed(u32::from(port) == it.k);
            }
        }
    }

    #[test]
    fn a_program_knows_every_port_and_no_other_one() {
        for count in [0, 1, 2, 3, 100, MAX_PORTS as u16] {
            let ports: Vec<_> = (0..count).map(|n| (1000 + n * 7, ShardId(n % 3))).collect();
            let program = filter(&ports, true);
            assert!(program.len() <= 4096, "{count}: {}", program.len());
            for (port, owner) in &ports {
                assert_eq!(run(&program, *port), u32::from(owner.0), "{port} of {count}");
                assert_eq!(run(&program, *port + 1), ANY);
            }
            assert_eq!((run(&program, 0), run(&program, 65_535)), (ANY, ANY));
        }
    }

    #[test]
    fn a_port_of_clients_of_two_workers_is_left_to_the_hash() {
        let client = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let owners = [("10.0.0.1:5", 0), ("10.0.0.2:5", 1), ("10.0.0.3:6", 1), ("10.0.0.4:6", 1), ("[::1]:7", 0)];
        let owners = owners.into_iter().map(|(at, owner)| (client(at), ShardId(owner))).collect();
        assert_eq!(ports(&owners, true), [(6, ShardId(1))]);
        assert_eq!(ports(&owners, false), [(7, ShardId(0))]);
    }

    #[test]
    fn datagrams_arrive_at_the_worker_that_owns_the_client() {
        let addresses: Vec<IpAddr> = ["127.0.0.1", "::1"].map(|ip| ip.parse().expect("an address")).to_vec();
        let Ok((port, workers)) = bind_group(&addresses, 0, 3, &addresses) else {
            eprintln!("not tested: IPv6 is missing here");
            return;
        };
        let steering = Steering::new(&workers).expect("sockets");
        let now = Instant::now();
        for (number, (ip, family)) in (0..24).zip(addresses.iter().zip(0..).cycle()) {
            let client = UdpSocket::bind((*ip, 0)).expect("a port");
            let owner = ShardId(number % 3);
            let path = Path::udp(SocketAddr::new(*ip, port), client.local_addr().expect("bound"));
            steering.changed(path, owner, true);
            let now = now + EVERY * u32::from(number);
            assert_eq!(steering.apply(now), None);
            client.send_to(b"hello", path.local).expect("loopback");
            let socket = workers[usize::from(owner.0)].iter().nth(family).expect("of both families").as_udp();
            socket.set_nonblocking(false).expect("an option");
            socket.set_read_timeout(Some(Duration::from_secs(5))).expect("an option");
            let (_, from) = socket.recv_from(&mut [0; 9]).expect("the owner's");
            assert_eq!(from, path.remote);
        }
    }

    #[test]
    fn changes_are_applied_together_and_ends_are_forgotten() {
        let addresses = vec![IpAddr::from([127, 0, 0, 1])];
        let (port, workers) = bind_group(&addresses, 0, 2, &addresses).expect("a port");
        let (steering, now) = (Steering::new(&workers).expect("sockets"), Instant::now());
        let path = Path::udp(SocketAddr::new(addresses[0], port), "127.0.0.1:9".parse().expect("an address"));
        steering.changed(path, ShardId(1), true);
        assert_eq!(steering.apply(now), None);
        steering.changed(path, ShardId(1), true);
        assert_eq!(steering.apply(now), None, "nothing new");
        steering.changed(path, ShardId(0), false);
        assert_eq!(steering.apply(now), None, "it is another one's");
        steering.changed(path, ShardId(1), false);
        assert_eq!(steering.apply(now), Some(now + EVERY));
        assert_eq!(steering.apply(now + EVERY), None);
        assert!(steering.clients.lock().expect("free").owners.is_empty());
    }
}
