//! What is read and rewritten of session descriptions (RFC 8866) around the transport: which section carries which
//! track, and the identity of what we send.

use std::collections::HashMap;

use crate::ids::Ssrc;
use crate::media::{Kind, OpusOptions};

/// Larger offers are refused. An offer for a full room is well below it.
pub(crate) const MAX_BYTES: usize = 512 * 1024;
pub(crate) const MAX_SECTIONS: usize = 1024;
/// Streams that an offer may name in the sections in which the client sends: the transport keeps state for each.
const MAX_SOURCES: usize = 256;
/// Layers of one section; browsers send three.
const MAX_RIDS: usize = 8;

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
    /// The client's id of the track that it sends here.
    pub cid: String,
    pub simulcast: bool,
    /// The streams that the client announces, where it sends.
    pub sources: Vec<Ssrc>,
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
    /// The client publishes here, in this codec if it can.
    Receive { codec: Option<String>, opus: OpusOptions },
    /// The client receives here, possibly nothing yet.
    Send(Option<Sending>),
}

/// Two channels at the highest bitrate: a client takes its usual one otherwise (RFC 7587 section 6.1).
const STEREO: &str = ";stereo=1;maxaveragebitrate=510000";
/// Payload types come after `m=<media> <port> <protocol>` (RFC 8866 section 5.14).
const PAYLOAD_TYPES_FROM: usize = 3;

/// A description cut at its `m=` lines; the first part is the session's.
pub(crate) struct Parts<'a>(pub Vec<Vec<&'a str>>);

impl<'a> Parts<'a> {
    pub fn cut(sdp: &'a str) -> Self {
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

pub(crate) fn attribute<'a>(part: &[&'a str], name: &str) -> Option<&'a str> {
    part.iter().find_map(|line| line.strip_prefix("a=")?.strip_prefix(name)?.strip_prefix(':'))
}

pub(crate) fn direction(part: &[&str]) -> Direction {
    let named = part.iter().find_map(|line| match *line {
        "a=sendonly" => Some(Direction::SendOnly),
        "a=recvonly" => Some(Direction::RecvOnly),
        "a=inactive" => Some(Direction::Inactive),
        _ => None,
    });
    named.unwrap_or(Direction::SendRecv)
}

pub(crate) fn kind(part: &[&str]) -> Option<Kind> {
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
pub(crate) fn is_stopped(part: &[&str]) -> bool {
    let port_0 = part.first().and_then(|line| line.split(' ').nth(1)) == Some("0");
    port_0 && !part.contains(&"a=bundle-only")
}

fn msid_track(part: &[&str]) -> Option<String> {
    let of_source =
        || part.iter().find_map(|line| line.strip_prefix("a=ssrc:")?.split_once(' ')?.1.strip_prefix("msid:"));
    let msid = attribute(part, "msid").or_else(of_source)?;
    msid.split_whitespace().last().map(str::to_owned)
}

/// The streams that a section names, each once.
pub(crate) fn sources(part: &[&str]) -> Vec<Ssrc> {
    let of_line = |line: &&str| line.strip_prefix("a=ssrc:")?.split(' ').next()?.parse().ok().map(Ssrc);
    let mut sources: Vec<Ssrc> = part.iter().filter_map(of_line).collect();
    sources.sort_unstable();
    sources.dedup();
    sources
}

/// The media sections of an offer, in order. The error says what is wrong with it.
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
        if part.iter().filter(|line| line.starts_with("a=rid:")).count() > MAX_RIDS {
            return Err(format!("a section of the offer has more than {MAX_RIDS} layers"));
        }
        let sends = matches!(direction, Direction::SendOnly | Direction::SendRecv);
        sections.push(OfferedSection {
            mid: mid.to_owned(),
            kind,
            direction,
            cid: msid_track(part).unwrap_or_default(),
            simulcast: attribute(part, "simulcast").is_some_and(|value| value.starts_with("send")),
            sources: if sends { sources(part) } else { Vec::new() },
        });
    }
    if sections.iter().map(|section| section.sources.len()).sum::<usize>() > MAX_SOURCES {
        return Err(format!("the offer names more than {MAX_SOURCES} streams"));
    }
    Ok(sections)
}

/// The offer for the transport, without candidates: the transport only answers the client's checks (RFC 8445 section
/// 2.5, lite), which say where the client is, and would keep every candidate of every offer.
pub(crate) fn prepare_offer(sdp: &str) -> String {
    let parts = Parts::cut(sdp);
    let lines = parts.0.iter().flatten().filter(|line| !line.starts_with("a=candidate:"));
    join(&lines.copied().collect::<Vec<_>>())
}

/// The transport's answer with our identities, directions and feedback. `replaced`: (old, new) texts, for ICE
/// credentials that are not the transport's own.
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

pub(crate) fn session_line(line: &str) -> String {
    if line.starts_with("a=msid-semantic:") { "a=msid-semantic: WMS *".to_owned() } else { line.to_owned() }
}

pub(crate) fn is_identity(line: &str) -> bool {
    ["a=msid:", "a=ssrc:", "a=ssrc-group:"].iter().any(|name| line.starts_with(name))
}

fn answer_section(part: &[&str], answer: &SectionAnswer, lines: &mut Vec<String>) {
    let receives = matches!(answer, SectionAnswer::Receive { .. });
    for line in part {
        if is_identity(line) || (receives && line.starts_with("a=rtcp-fb:") && line.ends_with(" goog-remb")) {
            continue;
        }
        match (answer, *line) {
            (SectionAnswer::Send(None), "a=sendonly") => lines.push("a=inactive".to_owned()),
            (SectionAnswer::Receive { codec: Some(codec), .. }, line) if line.starts_with("m=") => {
                lines.push(with_codec_first(part, line, codec));
            }
            (SectionAnswer::Receive { opus, .. }, line) if is_format_of(part, line, "opus") => {
                lines.push(format!("{line}{}", opus_parameters(*opus)));
            }
            _ => push_line(line, lines),
        }
    }
    if let SectionAnswer::Send(Some(sending)) = answer {
        push_identity(sending, lines);
    }
}

/// A line, and behind the name of Opus that lost packets may be asked for (RFC 4585 section 4.2): clients do so for sound
/// only where this stands, and the transport knows no retransmission without a stream for it.
pub(crate) fn push_line(line: &str, lines: &mut Vec<String>) {
    lines.push(line.to_owned());
    let format = line.strip_prefix("a=rtpmap:").and_then(|mapping| mapping.split_once(' '));
    if let Some((payload_type, _)) = format.filter(|(_, name)| name.starts_with("opus/")) {
        lines.push(format!("a=rtcp-fb:{payload_type} nack"));
    }
}

/// The `m=` line with the payload types of `codec` first: a client sends in the first codec of the answer that it can
/// encode (RFC 8829 section 4.2.1).
fn with_codec_first(part: &[&str], line: &str, codec: &str) -> String {
    let is_of_codec = |payload_type: &&str| is_payload_type_of(part, payload_type, codec);
    let mut words = line.split(' ');
    let head: Vec<&str> = words.by_ref().take(PAYLOAD_TYPES_FROM).collect();
    let (first, rest): (Vec<&str>, Vec<&str>) = words.partition(is_of_codec);
    [head, first, rest].concat().join(" ")
}

fn is_payload_type_of(part: &[&str], payload_type: &str, codec: &str) -> bool {
    part.iter().filter_map(|line| line.strip_prefix("a=rtpmap:")?.split_once(' ')).any(|(number, format)| {
        number == payload_type && format.split('/').next().is_some_and(|name| name.eq_ignore_ascii_case(codec))
    })
}

/// Whether a line says how a codec is to be encoded (RFC 8866 section 6.15).
fn is_format_of(part: &[&str], line: &str, codec: &str) -> bool {
    let payload_type = line.strip_prefix("a=fmtp:").and_then(|format| format.split(' ').next());
    payload_type.is_some_and(|payload_type| is_payload_type_of(part, payload_type, codec))
}

fn opus_parameters(options: OpusOptions) -> String {
    let dtx = if options.dtx { ";usedtx=1" } else { "" };
    let stereo = if options.stereo { STEREO } else { "" };
    format!("{dtx}{stereo}")
}

pub(crate) fn push_identity(sending: &Sending, lines: &mut Vec<String>) {
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

pub(crate) fn join(lines: &[&str]) -> String {
    let mut text = lines.join("\r\n");
    text.push_str("\r\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFER: &str = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:0\r\na=sendonly\r\na=msid:- mic\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=recvonly\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:2\r\na=sendonly\r\na=ssrc:5 msid:stream cam\r\n\
        a=simulcast:send q;h;~f\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=mid:3\r\n\
        m=video 0 UDP/TLS/RTP/SAVPF 96\r\na=mid:4\r\na=sendonly\r\n";

    #[test]
    fn sections_are_parsed() {
        let sections = read_offer(OFFER).expect("a good offer");
        let brief: Vec<_> =
            sections.iter().map(|s| (s.mid.as_str(), s.kind, s.direction, s.cid.as_str(), s.simulcast)).collect();
        assert_eq!(
            brief,
            [
                ("0", Kind::Audio, Direction::SendOnly, "mic", false),
                ("1", Kind::Video, Direction::RecvOnly, "", false),
                ("2", Kind::Video, Direction::SendOnly, "cam", true),
                ("4", Kind::Video, Direction::Inactive, "", false),
            ]
        );
    }

    #[test]
    fn clients_tell_what_has_arrived_and_estimate_where_they_cannot() {
        let answer = "v=0\r\na=msid-semantic: WMS x\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=sendonly\r\n\
            a=rtcp-fb:96 transport-cc\r\na=rtcp-fb:96 goog-remb\r\na=msid:x y\r\na=ssrc:1 cname:z\r\n";
        let text = finish_answer(answer, &[("1".to_owned(), SectionAnswer::Send(None))].into(), &[]);
        assert!(text.contains("a=inactive") && text.contains("96 transport-cc") && text.contains("goog-remb"));
        assert!(!text.contains("a=msid:") && !text.contains("a=ssrc:"));
        let received = SectionAnswer::Receive { codec: None, opus: OpusOptions::default() };
        let text = finish_answer(answer, &[("1".to_owned(), received)].into(), &[]);
        assert!(text.contains("96 transport-cc") && !text.contains("goog-remb"));
    }

    #[test]
    fn a_sending_section_carries_our_identity() {
        let answer = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:1\r\na=sendonly\r\na=msid:x y\r\n";
        let sending = Sending { stream: "PA_a|TR_b".into(), track: "TR_b".into(), ssrc: 5, rtx: Some(6) };
        let sections = [("1".to_owned(), SectionAnswer::Send(Some(sending)))].into();
        let text = finish_answer(answer, &sections, &[("old".into(), "new".into())]);
        for line in ["a=msid:PA_a|TR_b TR_b\r\n", "a=ssrc:5 msid:PA_a|TR_b TR_b\r\n", "a=ssrc-group:FID 5 6\r\n"] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(text.contains("a=sendonly") && !text.contains("a=msid:x y"));
    }

    #[test]
    fn a_publisher_is_answered_with_its_codec_first() {
        let answer = "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 97 102 103\r\na=mid:1\r\na=recvonly\r\n\
            a=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=rtpmap:102 H264/90000\r\na=rtpmap:103 rtx/90000\r\n";
        let answered = |codec: Option<&str>| {
            let receive = SectionAnswer::Receive { codec: codec.map(str::to_owned), opus: OpusOptions::default() };
            let text = finish_answer(answer, &[("1".to_owned(), receive)].into(), &[]);
            text.lines().find(|line| line.starts_with("m=video")).map(str::to_owned)
        };
        assert_eq!(answered(Some("h264")).as_deref(), Some("m=video 9 UDP/TLS/RTP/SAVPF 102 96 97 103"));
        assert_eq!(answered(Some("av1")), answered(None));
    }

    #[test]
    fn a_publisher_is_told_how_to_encode_sound() {
        let answer = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 63 111\r\na=mid:1\r\na=recvonly\r\na=rtpmap:111 opus/48000/2\r\n\
            a=fmtp:111 minptime=10\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n";
        let answered = |dtx: bool, stereo: bool| {
            let receive = SectionAnswer::Receive { codec: None, opus: OpusOptions { dtx, stereo } };
            let text = finish_answer(answer, &[("1".to_owned(), receive)].into(), &[]);
            assert!(text.contains("a=fmtp:63 111/111\r\n"));
            text.lines().find_map(|line| line.strip_prefix("a=fmtp:111 ")).map(str::to_owned)
        };
        assert_eq!(answered(false, false).as_deref(), Some("minptime=10"));
        assert_eq!(answered(true, false).as_deref(), Some("minptime=10;usedtx=1"));
        assert_eq!(answered(false, true).as_deref(), Some("minptime=10;stereo=1;maxaveragebitrate=510000"));
    }

    #[test]
    fn lost_sound_may_be_asked_for() {
        let answer = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 63 111\r\na=mid:0\r\na=rtpmap:63 red/48000/2\r\n\
            a=rtpmap:111 opus/48000/2\r\na=recvonly\r\n";
        let section = SectionAnswer::Send(None);
        let finished = finish_answer(answer, &HashMap::from([("0".to_owned(), section)]), &[]);
        assert_eq!(finished.matches("a=rtcp-fb:").count(), 1, "{finished}");
        assert!(finished.contains("a=rtpmap:111 opus/48000/2\r\na=rtcp-fb:111 nack\r\n"), "{finished}");
    }

    #[test]
    fn oversized_offers_are_refused() {
        assert!(read_offer(&"x".repeat(MAX_BYTES + 1)).is_err());
        assert!(read_offer(&"m=audio 9 x\r\na=mid:0\r\n".repeat(MAX_SECTIONS + 1)).is_err());
        assert!(read_offer("v=0\r\nm=audio 9 x\r\n").is_err(), "no mid");
        let many = |line: &str| (0..MAX_SOURCES + 1).map(|n| format!("{line}{n} x\r\n")).collect::<String>();
        let (sources, rids) = (many("a=ssrc:"), many("a=rid:"));
        assert!(read_offer(&format!("m=audio 9 x\r\na=mid:0\r\na=sendonly\r\n{sources}")).is_err());
        assert!(read_offer(&format!("m=audio 9 x\r\na=mid:0\r\na=recvonly\r\n{sources}")).is_ok(), "as Firefox does");
        assert!(read_offer(&format!("m=video 9 x\r\na=mid:0\r\n{rids}")).is_err());
    }
}
