//! The invitation that a mail carries (RFC 5545), as far as a person asks: what and when.

use super::safe_text::plain_text;
use super::text::cut;
use crate::message::{Original, PartShape};

/// Bytes of a calendar that are looked at.
const MAX_CALENDAR_BYTES: usize = 256 << 10;
const MAX_CHARACTERS: usize = 1_000;

/// A calendar part, summarised. All text is plain and not escaped for HTML.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Invitation {
    /// `request`, `reply`, `cancel` and the like (RFC 5546), in lower case; empty where none is said.
    pub method: String,
    /// What the event is called.
    pub summary: String,
    /// Where it takes place.
    pub location: String,
    /// `DTSTART` as written, such as `20260503T090000Z`.
    pub start: String,
    /// The time zone that the calendar names for the start, if any.
    pub start_zone: String,
    /// `DTEND` as written.
    pub end: String,
}

pub(super) fn find(original: &Original<'_>) -> Option<Invitation> {
    let is_calendar = |part: &&crate::message::OriginalPart| {
        part.shape == PartShape::Leaf && !part.embedded && part.media_type == "text/calendar"
    };
    let part = original.parts.iter().find(is_calendar)?;
    let text = original.text(part);
    let mut invitation = read(cut(&text, MAX_CALENDAR_BYTES));
    if invitation.method.is_empty() {
        invitation.method = line(&part.method);
    }
    Some(invitation)
}

fn read(calendar: &str) -> Invitation {
    let mut invitation = Invitation::default();
    let mut in_event = false;
    for content in unfolded(calendar) {
        let Some((name, parameters, value)) = parse(&content) else {
            continue;
        };
        match &*name {
            "BEGIN" => in_event |= value.eq_ignore_ascii_case("VEVENT"),
            "END" if value.eq_ignore_ascii_case("VEVENT") => break,
            "METHOD" if !in_event => invitation.method = line(&value.to_ascii_lowercase()),
            "SUMMARY" if in_event => invitation.summary = text(value),
            "LOCATION" if in_event => invitation.location = text(value),
            "DTSTART" if in_event => {
                invitation.start = line(value);
                invitation.start_zone = zone(parameters);
            }
            "DTEND" if in_event => invitation.end = line(value),
            _ => {}
        }
    }
    invitation
}

/// Content lines with their folds undone (RFC 5545 3.1).
fn unfolded(calendar: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in calendar.lines() {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(more), Some(last)) => last.push_str(more),
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// Name in upper case, parameters, value. A colon in a quoted parameter does not count.
fn parse(line: &str) -> Option<(String, &str, &str)> {
    let mut quoted = false;
    let colon = line.find(|c| {
        quoted ^= c == '"';
        c == ':' && !quoted
    })?;
    let (head, value) = line.split_at_checked(colon)?;
    let (name, parameters) = head.split_once(';').unwrap_or((head, ""));
    Some((
        name.trim().to_ascii_uppercase(),
        parameters,
        value.get(1..)?,
    ))
}

fn zone(parameters: &str) -> String {
    let mut all = parameters.split(';').filter_map(|one| one.split_once('='));
    let zone = all.find(|(name, _)| name.eq_ignore_ascii_case("TZID"));
    zone.map_or_else(String::new, |(_, zone)| line(zone.trim_matches('"')))
}

/// TEXT with its escapes undone (RFC 5545 3.3.11).
fn text(value: &str) -> String {
    let mut plain = String::new();
    let mut escaped = false;
    for c in value.chars() {
        match c {
            'n' | 'N' if escaped => plain.push(' '),
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            _ => plain.push(c),
        }
        escaped = false;
    }
    line(&plain)
}

fn line(value: &str) -> String {
    let short: String = value.trim().chars().take(MAX_CHARACTERS).collect();
    plain_text(&short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_summarised() {
        let calendar = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\n\
            DTSTART:16010101T000000\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\n\
            SUMMARY;LANGUAGE=\"a:b\":Offer\\, part\r\n  two\\nnext\r\n\
            DTSTART;TZID=\"Romance Standard Time\":20260503T090000\r\nDTEND:20260503T100000Z\r\n\
            LOCATION:Room \u{202e}1\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:other\r\n";
        let expected = Invitation {
            method: "request".into(),
            summary: "Offer, part two next".into(),
            location: "Room \u{fffd}1".into(),
            start: "20260503T090000".into(),
            start_zone: "Romance Standard Time".into(),
            end: "20260503T100000Z".into(),
        };
        assert_eq!(read(calendar), expected);
        assert_eq!(read(":\n;\n=:\\"), Invitation::default());
    }
}
