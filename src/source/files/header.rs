//! The dates at the head of a mail: the topmost `Received` and `Date` (RFC 5322 3.6.7 and 3.6.1).

use jiff::fmt::rfc2822::DateTimeParser;
use jiff::{SignedDuration, Timestamp};

/// How much of a mail is looked at for its dates.
const PEEK_BYTES: usize = 64 << 10;

/// Gathers the beginning of a mail.
#[derive(Debug, Default)]
pub(super) struct Peek(Vec<u8>);

impl Peek {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let room = PEEK_BYTES.saturating_sub(self.0.len()).min(bytes.len());
        self.0
            .extend_from_slice(bytes.get(..room).unwrap_or_default());
    }

    /// When the mail was received: as its topmost `Received` says; else at `otherwise`, unless the mail says that it was
    /// sent more than a day later, as it is with files that a copy gave another time.
    pub(super) fn received(&self, otherwise: Option<Timestamp>) -> Option<Timestamp> {
        let (mut received, mut sent) = (None, None);
        for field in fields(&self.0) {
            let Some((name, value)) = split(&field) else {
                continue;
            };
            if name.eq_ignore_ascii_case(b"received") && received.is_none() {
                let date = value.rsplit(|byte| *byte == b';').next();
                received = Some(date.and_then(read));
            } else if name.eq_ignore_ascii_case(b"date") && sent.is_none() {
                sent = Some(read(value));
            }
        }
        let sent = sent.flatten();
        let day = SignedDuration::from_hours(24);
        let fits = |at: &Timestamp| sent.is_none_or(|sent| sent.duration_since(*at) <= day);
        received.flatten().or(otherwise.filter(fits))
    }
}

/// The unfolded fields before the first empty line.
fn fields(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut fields: Vec<Vec<u8>> = Vec::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line.first(), fields.last_mut()) {
            (None, _) => break,
            (Some(b' ' | b'\t'), Some(last)) => last.extend_from_slice(line),
            _ => fields.push(line.to_vec()),
        }
    }
    fields
}

fn split(field: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = field.iter().position(|byte| *byte == b':')?;
    let (name, value) = field.split_at(colon);
    Some((name.trim_ascii_end(), value.get(1..)?))
}

/// A date of RFC 5322, with a comment after it or without.
fn read(value: &[u8]) -> Option<Timestamp> {
    static PARSER: DateTimeParser = DateTimeParser::new().relaxed_weekday(true);
    let end = value.iter().position(|byte| *byte == b'(');
    let date = value.get(..end.unwrap_or(value.len()))?.trim_ascii();
    PARSER.parse_timestamp(date).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn received(mail: &str, otherwise: Option<&str>) -> Option<String> {
        let mut peek = Peek::default();
        peek.push(mail.as_bytes());
        let otherwise = otherwise.map(|text| text.parse().unwrap());
        peek.received(otherwise).map(|at| at.to_string())
    }

    #[test]
    fn the_topmost_received_counts_folded_and_with_its_comment() {
        let mail = "X: 1\r\nReceived: from a by b;\r\n Mon, 5 Jan 2026 10:00:03 +0100 (CET)\r\n\
                    Received: by c; Mon, 5 Jan 2026 08:00:00 +0000\r\nDate: Mon, 5 Jan 2026 09:59:00 +0100\r\n\r\n";
        let otherwise = Some("2026-02-01T00:00:00Z");
        assert_eq!(received(mail, otherwise).unwrap(), "2026-01-05T09:00:03Z");
    }

    #[test]
    fn another_time_counts_where_the_mail_can_have_been_received_then() {
        let mail = "Date: Mon, 5 Jan 2026 10:00:00 +0000\n\nReceived: by x; Mon, 5 Jan 2026 10:00:00 +0000\n";
        let at = |time| received(mail, Some(time));
        assert_eq!(at("2026-03-01T00:00:00Z").unwrap(), "2026-03-01T00:00:00Z");
        assert_eq!(
            at("1980-01-01T00:00:00Z"),
            None,
            "a copy that lost the time"
        );
        assert_eq!(
            received("Subject: x\n\n", Some("1980-01-01T00:00:00Z")).unwrap(),
            "1980-01-01T00:00:00Z"
        );
        assert_eq!(received("", None), None);
    }
}
