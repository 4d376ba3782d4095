//! sfu-io
