//! The binding: commands in, events out. No logic; the contract is `tertulia_sfu/_core.pyi`.

mod event;
mod receiver;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::process;
use std::time::Duration;

use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use tertulia_sfu_io::sfu::{
    Channel, Codecs, Kind, LayerSpec, OpusOptions, PeerId, Quality, SubscriptionSettings, TrackSpec,
};
use tertulia_sfu_io::{MediaCore, Options};
use tertulia_sfu_receiver::MAX_PICTURE_PIXELS;

use crate::event::PyEvent;
use crate::receiver::{PyFrame, PyReceiver};

/// The packet engine: worker threads, one UDP and one TCP port, all peer connections.
#[pyclass(name = "MediaCore", module = "tertulia_sfu._core", frozen)]
struct PyMediaCore {
    core: MediaCore,
    pid: u32,
}

impl PyMediaCore {
    /// Threads do not survive a fork: in a child process there is nothing to send commands to.
    fn core(&self) -> PyResult<&MediaCore> {
        if process::id() == self.pid {
            Ok(&self.core)
        } else {
            Err(PyRuntimeError::new_err("the media core cannot be used after a fork: create one in this process"))
        }
    }
}

#[pymethods]
impl PyMediaCore {
    #[new]
    #[pyo3(signature = (*, udp_port, tcp_port = None, shared_tcp = Vec::new(), addresses, bind, workers = 0))]
    fn new(
        udp_port: u16,
        tcp_port: Option<u16>,
        shared_tcp: Vec<(String, u16)>,
        addresses: Vec<String>,
        bind: Vec<String>,
        workers: usize,
    ) -> PyResult<Self> {
        let parse = |texts: Vec<String>| {
            let addresses = texts.iter().map(|text| {
                text.parse::<IpAddr>().map_err(|_| PyOSError::new_err(format!("{text:?} is not an IP address")))
            });
            addresses.collect::<PyResult<Vec<_>>>()
        };
        let (addresses, bind) = (parse(addresses)?, parse(bind)?);
        let (shared, ports): (Vec<_>, Vec<_>) = shared_tcp.into_iter().unzip();
        let shared_tcp = parse(shared)?.into_iter().zip(ports).map(SocketAddr::from).collect();
        let core = MediaCore::new(&Options { udp_port, tcp_port, bind, addresses, shared_tcp, workers })?;
        Ok(Self { core, pid: process::id() })
    }

    #[getter]
    fn udp_port(&self) -> u16 {
        self.core.udp_port()
    }

    #[getter]
    fn tcp_port(&self) -> Option<u16> {
        self.core.tcp_port()
    }

    fn take_over(&self, descriptor: i32) -> PyResult<()> {
        self.core()?.take_over(descriptor);
        Ok(())
    }

    fn fileno(&self) -> PyResult<i32> {
        Ok(self.core()?.fileno())
    }

    #[pyo3(signature = (max_events = 1024))]
    fn drain(&self, max_events: usize) -> PyResult<Vec<PyEvent>> {
        Ok(self.core()?.drain(max_events).into_iter().map(PyEvent::from).collect())
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let core = self.core()?;
        py.detach(|| core.close());
        Ok(())
    }

    #[pyo3(signature = (peer, *, room, codecs))]
    fn add_peer(&self, peer: &str, room: &str, codecs: Vec<String>) -> PyResult<()> {
        self.core()?.add_peer(peer.into(), room, named(&codecs)?);
        Ok(())
    }

    fn remove_peer(&self, peer: &str) -> PyResult<()> {
        self.core()?.remove_peer(peer.into());
        Ok(())
    }

    #[pyo3(signature = (peer, *, offer_id, sdp))]
    fn offer(&self, peer: &str, offer_id: i64, sdp: String) -> PyResult<()> {
        self.core()?.offer(peer.into(), offer_id, sdp);
        Ok(())
    }

    #[pyo3(signature = (peer, *, room, channels, codecs))]
    fn add_subscriber(&self, peer: &str, room: &str, channels: bool, codecs: Vec<String>) -> PyResult<()> {
        self.core()?.add_subscriber(peer.into(), room, channels, named(&codecs)?);
        Ok(())
    }

    #[pyo3(signature = (peer, *, offer_id, sdp))]
    fn answer(&self, peer: &str, offer_id: i64, sdp: String) -> PyResult<()> {
        self.core()?.answer(peer.into(), offer_id, sdp);
        Ok(())
    }

    fn restart_ice(&self, peer: &str) -> PyResult<()> {
        self.core()?.restart_ice(peer.into());
        Ok(())
    }

    #[pyo3(signature = (peer, *, track, kind, cids, layers, codec, dtx = false, stereo = false, is_screen = false))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of the contract")]
    fn expect_track(
        &self,
        peer: &str,
        track: &str,
        kind: &str,
        cids: Vec<String>,
        layers: Vec<(String, u32, u32)>,
        codec: Option<String>,
        dtx: bool,
        stereo: bool,
        is_screen: bool,
    ) -> PyResult<()> {
        let opus = OpusOptions { dtx, stereo };
        let kind = choose("kind", kind, &[("audio", Kind::Audio), ("video", Kind::Video)])?;
        let spec =
            |(name, width, height): (String, u32, u32)| Ok(LayerSpec { quality: quality(&name)?, width, height });
        let layers = layers.into_iter().map(spec).collect::<PyResult<Vec<_>>>()?;
        self.core()?.expect_track(peer.into(), track.into(), TrackSpec { kind, cids, layers, codec, opus, is_screen });
        Ok(())
    }

    #[pyo3(signature = (peer, *, track))]
    fn withdraw_track(&self, peer: &str, track: &str) -> PyResult<()> {
        self.core()?.withdraw_track(peer.into(), track.into());
        Ok(())
    }

    #[pyo3(signature = (peer, *, track, muted))]
    fn set_track_muted(&self, peer: &str, track: &str, muted: bool) -> PyResult<()> {
        self.core()?.set_track_muted(peer.into(), track.into(), muted);
        Ok(())
    }

    #[pyo3(signature = (peer, *, track))]
    fn subscribe(&self, peer: &str, track: &str) -> PyResult<()> {
        self.core()?.subscribe(peer.into(), track.into());
        Ok(())
    }

    #[pyo3(signature = (peer, *, track))]
    fn unsubscribe(&self, peer: &str, track: &str) -> PyResult<()> {
        self.core()?.unsubscribe(peer.into(), track.into());
        Ok(())
    }

    #[pyo3(signature = (peer, *, track, enabled = true, quality = None, height = None, priority = None, fps = None))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments of the contract")]
    fn configure_subscription(
        &self,
        peer: &str,
        track: &str,
        enabled: bool,
        quality: Option<&str>,
        height: Option<u32>,
        priority: Option<u32>,
        fps: Option<u32>,
    ) -> PyResult<()> {
        let quality = quality.map(self::quality).transpose()?;
        let settings = SubscriptionSettings { enabled, quality, height, priority, fps };
        self.core()?.configure_subscription(peer.into(), track.into(), settings);
        Ok(())
    }

    #[pyo3(signature = (peers, *, channel, payload, sender = None))]
    fn send_data(&self, peers: Vec<String>, channel: &str, payload: &[u8], sender: Option<&str>) -> PyResult<()> {
        let names = Channel::ALL.map(|channel| (event::channel_name(channel), channel));
        let channel = choose("channel", channel, &names)?;
        let peers = peers.into_iter().map(PeerId::from).collect();
        self.core()?.send_data(peers, channel, payload, sender.map(PeerId::from).as_ref());
        Ok(())
    }

    #[pyo3(signature = (peer, *, seconds))]
    fn hold_data(&self, peer: &str, seconds: f64) -> PyResult<()> {
        let time = Duration::try_from_secs_f64(seconds).map_err(|error| PyValueError::new_err(error.to_string()))?;
        self.core()?.hold_data(peer.into(), time);
        Ok(())
    }

    fn stats(&self) -> PyResult<BTreeMap<&'static str, u64>> {
        Ok(self.core()?.stats())
    }
}

/// The codecs with these MIME types.
fn named(mime_types: &[String]) -> PyResult<Codecs> {
    Codecs::named(mime_types).map_err(|error| PyValueError::new_err(error.to_string()))
}

fn quality(name: &str) -> PyResult<Quality> {
    let names = Quality::ALL.map(|quality| (event::quality_name(quality), quality));
    choose("quality", name, &names)
}

/// The choice of this name; ValueError lists the known ones.
fn choose<T: Copy>(what: &str, name: &str, choices: &[(&str, T)]) -> PyResult<T> {
    let known = choices.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let found = choices.iter().find(|(choice, _)| *choice == name).map(|(_, value)| *value);
    found.ok_or_else(|| PyValueError::new_err(format!("{what} is {name:?}; known are {known}")))
}

#[pyfunction]
fn deny_unneeded_system_calls() -> PyResult<()> {
    tertulia_sandbox::deny_unneeded_system_calls().map_err(PyOSError::new_err)
}

#[pymodule]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyMediaCore>()?;
    module.add_class::<PyEvent>()?;
    module.add_class::<PyReceiver>()?;
    module.add_class::<PyFrame>()?;
    module.add("MAX_PICTURE_PIXELS", MAX_PICTURE_PIXELS)?;
    module.add_function(wrap_pyfunction!(deny_unneeded_system_calls, module)?)
}
