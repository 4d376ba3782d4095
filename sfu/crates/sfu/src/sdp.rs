//! The little of session descriptions (RFC 8866) that has to be read and rewritten around the transport library:
//! which section is whose, and the identity of what we send.

use std::collections::HashMap;

use crate::command::Kind;

/// Larger offers are refused: a room's worth of sections is well below it.
const MAX_BYTES: usize = 512 * 1024;
const MAX_SECTIONS: usize = 1024;
const TRANSPORT_CC: &str = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

/// A media section of a client's offer; directions are the client's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OfferedSection {
    pub mid: String,
    pub kind: Kind,
    pub direction: Direction,
    /// The client's id of the track it sends here.
    pub cid: String,
    pub simulcast: bool,
    /// The line that offers transport-wide sequence numbers.
    pub transport_cc: Option<String>,
}

/// What we send in a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sending {
    pub stream: String,
    pub track: String,
    pub ssrc: u32,
    pub rtx: Option<u32>,
}

/// How a section is to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SectionAnswer {
    /// The client publishes here.
    Receive,
    /// The client receives here, maybe nothing yet.
    Send { sending: Option<Sending>, transport_cc: Option<String> },
}

/// A description cut at its `m=` lines; the first part is the session's.
struct Parts<'a>(Vec<Vec<&'a str>>);

impl<'a> Parts<'a> {
    fn cut(sdp: &'a str) -> Self {
        let mut parts = vec![Vec::new()];
        for line in sdp.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
            if line.starts_with("m=") {
                parts.push(Vec::new());
            }
            if let Some(part) = parts.last_mut() {
                part.push(line);
            }
        }
        Self(parts)
    }
}

fn attribute<'a>(part: &[&'a str], name: &str) -> Option<&'a str> {
    part.iter().find_map(|line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':'))
}

fn direction(part: &[&str]) -> Direction {
    let named = part.iter().find_map(|line| match *line {
        "a=sendonly" => Some(Direction::SendOnly),
        "a=recvonly" => Some(Direction::RecvOnly),
        "a=inactive" => Some(Direction::Inactive),
        _ => None,
    });
    named.unwrap_or(Direction::SendRecv)
}

fn kind(part: &[&str]) -> Option<Kind> {
    let first = part.first()?;
    if first.starts_with("m=audio ") {
        Some(Kind::Audio)
    } else if first.starts_with("m=video ") {
        Some(Kind::Video)
    } else {
        None
    }
}

/// A stopped section: port 0 and not bundled with another one.
fn is_stopped(part: &[&str]) -> bool {
    let port_0 = part.first().and_then(|line| line.split(' ').nth(1)) == Some("0");
    port_0 && !part.contains(&"a=bundle-only")
}

fn msid_track(part: &[&str]) -> Option<String> {
    let of_source =
        || part.iter().find_map(|line| line.strip_prefix("a=ssrc:")?.split_once(' ')?.1.strip_prefix("msid:"));
    let msid = attribute(part, "msid").or_else(of_source)?;
    msid.split_whitespace().last().map(str::to_owned)
}

/// The media sections of an offer, in order. Errors say what is wrong with it.
pub(crate) fn read_offer(sdp: &str) -> Result<Vec<OfferedSection>, String> {
    if sdp.len() > MAX_BYTES {
        return Err(format!("the offer is larger than {MAX_BYTES} bytes"));
    }
    let parts = Parts::cut(sdp);
    if parts.0.len() > MAX_SECTIONS {
        return Err(format!("the offer has more than {MAX_SECTIONS} sections"));
    }
    let mut sections = Vec::new();
    for part in parts.0.iter().skip(1) {
        let Some(kind) = kind(part) else { continue };
        let mid = attribute(part, "mid").ok_or("a section of the offer has no a=mid")?;
        let direction = if is_stopped(part) { Direction::Inactive } else { direction(part) };
        sections.push(OfferedSection {
            mid: mid.to_owned(),
            kind,
            direction,
            cid: msid_track(part).unwrap_or_default(),
            simulcast: attribute(part, "simulcast").is_some_and(|value| value.starts_with("send")),
            transport_cc: part.iter().find(|line| is_transport_cc(line)).map(|line| (*line).to_owned()),
        });
    }
    Ok(sections)
}

/// The offer as the transport shall see it: it puts no transport-wide sequence numbers on what we send, so that the
/// client estimates by arrival (REMB) instead. The answer accepts them all the same ([`finish_answer`]).
pub(crate) fn prepare_offer(sdp: &str) -> String {
    let parts = Parts::cut(sdp);
    let mut lines: Vec<&str> = Vec::new();
    for part in &parts.0 {
        let receives = kind(part).is_some() && direction(part) == Direction::RecvOnly;
        lines.extend(part.iter().filter(|line| !(receives && is_transport_cc(line))));
    }
    join(&lines)
}

fn is_transport_cc(line: &str) -> bool {
    line.starts_with("a=extmap:") && line.ends_with(TRANSPORT_CC)
}

/// The transport's answer with our identities, directions and feedback. `replaced`: (old, new) texts, for
/// ICE credentials that are not the transport's own.
pub(crate) fn finish_answer(
    sdp: &str,
    sections: &HashMap<String, SectionAnswer>,
    replaced: &[(String, String)],
) -> String {
    let parts = Parts::cut(sdp);
    let mut lines = Vec::new();
    for part in &parts.0 {
        let section = attribute(part, "mid").and_then(|mid| sections.get(mid));
        match section.filter(|_| kind(part).is_some()) {
            Some(answer) => answer_section(part, answer, &mut lines),
            None => lines.extend(part.iter().map(|line| session_line(line))),
        }
    }
    let mut text = join(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    for (old, new) in replaced {
        text = text.replace(old.as_str(), new);
    }
    text
}

fn session_line(line: &str) -> String {
    if line.starts_with("a=msid-semantic:") { "a=msid-semantic: WMS *".to_owned() } else { line.to_owned() }
}

fn answer_section(part: &[&str], answer: &SectionAnswer, lines: &mut Vec<String>) {
    let unwanted_feedback = match answer {
        SectionAnswer::Receive => " goog-remb",
        SectionAnswer::Send { .. } => " transport-cc",
    };
    for line in part {
        let is_identity = ["a=msid:", "a=ssrc:", "a=ssrc-group:"].iter().any(|name| line.starts_with(name));
        if is_identity || (line.starts_with("a=rtcp-fb:") && line.ends_with(unwanted_feedback)) {
            continue;
        }
        match (answer, *line) {
            (SectionAnswer::Send { sending: None, .. }, "a=sendonly") => lines.push("a=inactive".to_owned()),
            _ => lines.push((*line).to_owned()),
        }
    }
    let SectionAnswer::Send { sending, transport_cc } = answer else { return };
    // a client offers in later sections only what was accepted in the first ones: its own publishing needs this
    lines.extend(transport_cc.clone());
    if let Some(sending) = sending {
        push_identity(sending, lines);
    }
}

fn push_identity(sending: &Sending, lines: &mut Vec<String>) {
    let Sending { stream, track, ssrc, rtx } = sending;
    lines.push(format!("a=msid:{stream} {track}"));
    for source in [Some(*ssrc), *rtx].into_iter().flatten() {
        lines.push(format!("a=ssrc:{source} cname:{stream}"));
        lines.push(format!("a=ssrc:{source} msid:{stream} {track}"));
    }
    if let Some(rtx) = rtx {
        lines.push(format!("a=ssrc-group:FID {ssrc} {rtx}"));
    }
}

fn join(lines: &[&str]) -> String {
    let mut text = lines.join("\r\n");
    text.push_str("\r\n");
    text
}
