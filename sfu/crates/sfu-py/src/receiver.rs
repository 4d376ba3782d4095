//! The Python classes `Receiver` and `Frame`: a participant that only receives.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tertulia_sfu_receiver::{Frame, Receiver, State};

/// A participant that only receives.
// Calls that wait for a lock of the receiving thread release the GIL.
#[pyclass(name = "Receiver", module = "tertulia_sfu._core", frozen)]
pub struct PyReceiver(Receiver);

/// One encoded video frame, or one packet of audio.
#[pyclass(name = "Frame", module = "tertulia_sfu._core", frozen)]
pub struct PyFrame {
    #[pyo3(get)]
    mid: String,
    #[pyo3(get)]
    codec: &'static str,
    #[pyo3(get)]
    rtp_time: u64,
    #[pyo3(get)]
    clock_hz: u32,
    #[pyo3(get)]
    age_us: u64,
    #[pyo3(get)]
    is_key: bool,
    #[pyo3(get)]
    quarter_turns: u8,
    #[pyo3(get)]
    is_refused: bool,
    data: Arc<[u8]>,
}

#[pymethods]
impl PyFrame {
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.data)
    }
}

impl PyFrame {
    fn of(frame: Frame, now: Instant) -> Self {
        let age = now.saturating_duration_since(frame.arrived);
        Self {
            mid: frame.mid,
            codec: frame.codec,
            rtp_time: frame.rtp_time,
            clock_hz: frame.clock_hz,
            age_us: u64::try_from(age.as_micros()).unwrap_or(u64::MAX),
            is_key: frame.is_key,
            quarter_turns: frame.quarter_turns,
            is_refused: frame.is_refused,
            data: frame.data,
        }
    }
}

#[pymethods]
impl PyReceiver {
    #[new]
    #[pyo3(signature = (*, addresses))]
    fn new(addresses: Vec<String>) -> PyResult<Self> {
        let parse = |text: &String| {
            text.parse::<IpAddr>().map_err(|_| PyOSError::new_err(format!("{text:?} is not an IP address")))
        };
        let addresses = addresses.iter().map(parse).collect::<PyResult<Vec<_>>>()?;
        Ok(Self(Receiver::new(&addresses)?))
    }

    #[pyo3(signature = (*, audio, video))]
    fn offer(&self, py: Python<'_>, audio: usize, video: usize) -> PyResult<String> {
        py.detach(|| self.0.offer(audio, video)).map_err(PyValueError::new_err)
    }

    #[pyo3(signature = (*, sdp))]
    fn answer(&self, py: Python<'_>, sdp: &str) -> PyResult<()> {
        py.detach(|| self.0.answer(sdp)).map_err(PyValueError::new_err)
    }

    fn add_candidate(&self, py: Python<'_>, candidate: &str) {
        py.detach(|| self.0.add_candidate(candidate));
    }

    fn restart(&self, py: Python<'_>, mid: &str) {
        py.detach(|| self.0.restart(mid));
    }

    #[getter]
    fn state(&self, py: Python<'_>) -> &'static str {
        match py.detach(|| self.0.state()) {
            State::Connecting => "connecting",
            State::Connected => "connected",
            State::Gone => "gone",
        }
    }

    #[getter]
    fn behind_us(&self) -> u64 {
        u64::try_from(self.0.behind().as_micros()).unwrap_or(u64::MAX)
    }

    #[getter]
    fn socket_buffer_bytes(&self) -> usize {
        self.0.socket_buffer()
    }

    fn drain_audio(&self, py: Python<'_>) -> Vec<PyFrame> {
        as_of_now(py.detach(|| self.0.drain_audio()))
    }

    fn drain_video(&self, py: Python<'_>) -> Vec<PyFrame> {
        as_of_now(py.detach(|| self.0.drain_video()))
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| self.0.close());
    }
}

fn as_of_now(frames: Vec<Frame>) -> Vec<PyFrame> {
    let now = Instant::now();
    frames.into_iter().map(|frame| PyFrame::of(frame, now)).collect()
}
