//! What reaches a worker from outside its socket: commands, messages of other workers, the order to stop.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use rustix::event::{EventfdFlags, eventfd};
use tertulia_sfu::{Command, Message};

use crate::events::{clear, signal};

/// Media and datagrams that may wait for a worker: late media is worthless, and must not block anybody.
const MAX_MEDIA: usize = 16_384;

pub(crate) enum Letter {
    Command(Command),
    Message(Message),
    Stop,
}

/// The sending side, shared by all.
pub(crate) struct Mailbox {
    letters: Sender<Letter>,
    bell: OwnedFd,
    rung: AtomicBool,
    media_waiting: AtomicUsize,
}

impl Mailbox {
    pub fn new() -> io::Result<(Self, Receiver<Letter>)> {
        let (letters, receiver) = channel();
        let bell = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        let mailbox = Self { letters, bell, rung: AtomicBool::new(false), media_waiting: AtomicUsize::new(0) };
        Ok((mailbox, receiver))
    }

    /// False if it was media and too much of it waits.
    pub fn post(&self, letter: Letter) -> bool {
        if is_media(&letter) && self.media_waiting.fetch_add(1, Ordering::Relaxed) >= MAX_MEDIA {
            self.media_waiting.fetch_sub(1, Ordering::Relaxed);
            return false;
        }
        // a worker that has stopped reads nothing any more
        let _ = self.letters.send(letter);
        true
    }

    /// Wake the worker, once for however many letters.
    pub fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            signal(&self.bell);
        }
    }

    pub fn bell(&self) -> &OwnedFd {
        &self.bell
    }

    /// Before reading: letters posted from now on ring again.
    pub fn answer(&self) {
        if self.rung.swap(false, Ordering::AcqRel) {
            clear(&self.bell);
        }
    }

    pub fn taken(&self, letter: &Letter) {
        if is_media(letter) {
            self.media_waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn is_media(letter: &Letter) -> bool {
    matches!(letter, Letter::Message(Message::Packet { .. } | Message::Datagram { .. }))
}
