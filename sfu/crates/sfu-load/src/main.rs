//! Synthetic peers for benchmarks. The caller does the signalling: one JSON command a line on standard input, one JSON
//! answer a line on standard output.
//!
//! | command | answer |
//! | --- | --- |
//! | `{"do": "offer", "peer": "a", "publish": bool, "clip": path, "fps": n, "audio": n, "video": n, "read_every_ms": n, "is_timed": bool, "tells_arrivals": bool, "loss": 0.0}` | `{"peer": "a", "offer": sdp}`; adds `n` receiving sections |
//! | `{"do": "answer", "peer": "a", "sdp": sdp}` | `{"peer": "a", "ok": true}` |
//! | `{"do": "leave", "peer": "a"}` | `{"peer": "a", "ok": true}` |
//! | `{"do": "streams"}` | `{"peers": {"a": n}}`: of how many streams each has received anything since the last time |
//! | `{"do": "stats"}` | `{"received": packets, "sent": packets, "connected": peers, "delays_us": {"median": n, "p99": n}}` |
//!
//! A publisher sends a clip ([`clip::Clip::read`]), or synthetic packets without one. A peer that reads what has arrived
//! only so often costs less, and a sender over loopback need not wake it with each packet, but it spoils the times of
//! arrival: for those that only receive, and then best without `tells_arrivals` (transport-wide feedback). `is_timed`: it
//! notes how long synthetic packets were on their way, which `stats` tells, and forgets. Of a peer's datagrams the share
//! `loss` is lost, either way.
#![forbid(unsafe_code)]

mod clip;
mod counters;
mod peer;

use std::collections::HashMap;
use std::io::{self, BufRead, Write};
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use serde_json::{Value, json};

use clip::Clip;
use counters::{Counters, Streams};
use peer::{Reading, Request};

fn main() -> io::Result<()> {
    str0m::crypto::from_feature_flags().install_process_default();
    let mut load = Load::default();
    for line in io::stdin().lock().lines() {
        let reply = match serde_json::from_str(&line?) {
            Ok(command) => load.run(&command),
            Err(error) => json!({ "error": error.to_string() }),
        };
        let mut out = io::stdout().lock();
        writeln!(out, "{reply}")?;
        out.flush()?;
    }
    Ok(())
}

#[derive(Default)]
struct Load {
    peers: HashMap<String, Running>,
    counters: Arc<Counters>,
}

/// A peer whose thread ends with this.
struct Running {
    requests: Sender<Request>,
    streams: Arc<Streams>,
}

impl Load {
    fn run(&mut self, command: &Value) -> Value {
        let peer = command["peer"].as_str().unwrap_or_default();
        match command["do"].as_str() {
            Some("offer") => self.offer(peer, command),
            Some("answer") => self.ask(peer, |reply| Request::Answer {
                sdp: command["sdp"].as_str().unwrap_or_default().to_owned(),
                reply,
            }),
            Some("leave") => match self.peers.remove(peer) {
                Some(_) => json!({ "peer": peer, "ok": true }),
                None => json!({ "error": "no such peer" }),
            },
            Some("streams") => {
                let counts = self.peers.iter().map(|(name, peer)| (name.clone(), json!(peer.streams.take())));
                json!({ "peers": counts.collect::<serde_json::Map<_, _>>() })
            }
            Some("stats") => self.counters.snapshot(),
            _ => json!({ "error": "unknown command" }),
        }
    }

    fn offer(&mut self, peer: &str, command: &Value) -> Value {
        if !self.peers.contains_key(peer) {
            let tells_arrivals = command["tells_arrivals"].as_bool().unwrap_or(true);
            let loss = command["loss"].as_f64().unwrap_or_default();
            let streams = Arc::<Streams>::default();
            match peer::start(Arc::clone(&self.counters), Arc::clone(&streams), tells_arrivals, loss) {
                Ok(requests) => self.peers.insert(peer.to_owned(), Running { requests, streams }),
                Err(error) => return json!({ "error": error.to_string() }),
            };
        }
        let publish = match (command["publish"].as_bool(), command["clip"].as_str()) {
            (Some(true), None) => Some(Clip::synthetic()),
            (Some(true), Some(path)) => match Clip::read(path, command["fps"].as_u64().unwrap_or(25) as u32) {
                Ok(clip) => Some(clip),
                Err(error) => return json!({ "error": error.to_string() }),
            },
            _ => None,
        };
        self.ask(peer, |reply| Request::Offer {
            publish,
            audio: command["audio"].as_u64().unwrap_or_default(),
            video: command["video"].as_u64().unwrap_or_default(),
            reading: Reading {
                every: command["read_every_ms"].as_u64().map(Duration::from_millis),
                is_timed: command["is_timed"].as_bool().unwrap_or_default(),
            },
            reply,
        })
    }

    fn ask(&self, peer: &str, request: impl FnOnce(Sender<Value>) -> Request) -> Value {
        let (reply, answers) = mpsc::channel();
        let sent = self.peers.get(peer).is_some_and(|peer| peer.requests.send(request(reply)).is_ok());
        let mut answer = match (sent, answers.recv()) {
            (true, Ok(answer)) => answer,
            _ => json!({ "error": "no such peer" }),
        };
        answer["peer"] = json!(peer);
        answer
    }
}
