//! An mbox file, mail by mail, in a stream: what lies between two separators, with one level of quoting taken off.
//!
//! RFC 4155 names the format; the quotings have only names that people gave them. Lines end with a line feed, whatever
//! stands before it, and every byte of a mail comes back as it was, but for the empty line that closes it.

use std::io::{self, BufRead, Read as _};

use jiff::Timestamp;

use super::from_line;

/// A line is read in pieces of this many bytes at most.
const PIECE_BYTES: u64 = 64 << 10;

/// A mail is handed on in chunks of about this many bytes.
pub(super) const CHUNK_BYTES: usize = 256 << 10;

/// How lines of a mail that begin with `From ` are kept apart from separators.
///
/// `Content-Length` is never believed: whoever sends a mail could hide the next ones with it. mboxcl quotes besides, so it
/// is read with [`Rd`](Self::Rd) or [`O`](Self::O); mboxcl2 does not, and is read with [`None`](Self::None).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum MboxQuoting {
    /// mboxrd: `>` before every line of `From ` after any number of `>`. One is taken off. The default.
    #[default]
    Rd,
    /// mboxo: `>` before lines that begin with `From `. It is taken off of those that begin with exactly `>From `.
    O,
    /// Nothing is quoted, and nothing is taken off. A separator is one only behind an empty line, as every writer has it.
    /// Whoever sends a mail can still write a line into it that looks like one: what is behind that line counts as a mail
    /// of its own, with whatever sender it names. Import such files only from mailboxes whose mail is trusted.
    None,
}

/// A separator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Separator {
    /// Where it begins.
    pub(super) offset: u64,
    /// The date that it names.
    pub(super) date: Option<Timestamp>,
}

/// Reads mails one after the other.
#[derive(Debug)]
pub(super) struct Splitter<R> {
    input: R,
    quoting: MboxQuoting,
    /// The offset of the next byte.
    at: u64,
    line_begins: bool,
    /// The line before was empty, a separator, or none.
    after_blank: bool,
    piece: Vec<u8>,
    /// The separator that ended the last mail.
    next: Option<Separator>,
    /// An empty line that belongs to the mail if more of it follows.
    held: Vec<u8>,
}

impl<R: BufRead> Splitter<R> {
    /// Reads from here, which is this far from the file's beginning and the beginning of a line.
    pub(super) fn new(input: R, at: u64, quoting: MboxQuoting) -> Self {
        Self {
            input,
            quoting,
            at,
            line_begins: true,
            after_blank: true,
            piece: Vec::new(),
            next: None,
            held: Vec::new(),
        }
    }

    /// Goes to the next mail; what is left of this one is passed over.
    pub(super) fn next_mail(&mut self) -> io::Result<Option<Separator>> {
        if self.next.is_none() {
            let mut rest = Vec::new();
            while self.read(&mut rest)? {
                rest.clear();
            }
        }
        Ok(self.next.take())
    }

    /// Appends the next chunk of the mail. Answers whether more may follow.
    pub(super) fn read(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        if self.next.is_some() {
            return Ok(false);
        }
        let full = out.len() + CHUNK_BYTES;
        while out.len() < full {
            let (offset, begins) = (self.at, self.line_begins);
            let may_separate = begins && (self.after_blank || self.quoting != MboxQuoting::None);
            if !self.next_piece()? {
                self.held.clear();
                return Ok(false);
            }
            if may_separate && let Some(date) = from_line::date(&self.piece) {
                self.held.clear();
                self.after_blank = true;
                let date = Some(date);
                self.next = Some(Separator { offset, date });
                return Ok(false);
            }
            out.append(&mut self.held);
            self.after_blank = begins && matches!(self.piece.as_slice(), b"\n" | b"\r\n");
            if self.after_blank {
                self.held.extend_from_slice(&self.piece);
            } else {
                out.extend_from_slice(self.unquoted(begins));
            }
        }
        Ok(true)
    }

    /// Reads the next line, or the next piece of a long one.
    fn next_piece(&mut self) -> io::Result<bool> {
        self.piece.clear();
        let mut some = self.input.by_ref().take(PIECE_BYTES);
        let read = some.read_until(b'\n', &mut self.piece)?;
        self.at += read as u64;
        self.line_begins = self.piece.ends_with(b"\n");
        Ok(read > 0)
    }

    fn unquoted(&self, line_begins: bool) -> &[u8] {
        let line = self.piece.as_slice();
        let quotes = line.iter().take_while(|byte| **byte == b'>').count();
        let is_from = line_begins
            && line
                .get(quotes..)
                .is_some_and(|it| it.starts_with(b"From "));
        let taken = match self.quoting {
            MboxQuoting::Rd => is_from && quotes > 0,
            MboxQuoting::O => is_from && quotes == 1,
            MboxQuoting::None => false,
        };
        line.get(usize::from(taken)..).unwrap_or_default()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn mails(file: &[u8], quoting: MboxQuoting) -> Vec<(u64, String)> {
        let mut splitter = Splitter::new(file, 0, quoting);
        let mut mails = Vec::new();
        while let Some(separator) = splitter.next_mail().unwrap() {
            let mut mail = Vec::new();
            while splitter.read(&mut mail).unwrap() {}
            mails.push((separator.offset, String::from_utf8(mail).unwrap()));
        }
        mails
    }

    const LINE: &str = "From a@b.example Mon Jan  5 10:00:00 2026\n";

    #[test]
    fn mails_are_what_lies_between_separators_without_the_closing_line() {
        let file = format!("{LINE}A: 1\r\n\r\nx\r\n\r\n{LINE}B: 2\n\ny\n\n\n{LINE}{LINE}C: 3");
        let expected = [
            (0, "A: 1\r\n\r\nx\r\n".to_owned()),
            (55, "B: 2\n\ny\n\n".to_owned()),
            (107, String::new()),
            (149, "C: 3".to_owned()),
        ];
        assert_eq!(mails(file.as_bytes(), MboxQuoting::Rd), expected);
    }

    #[test]
    fn one_level_of_quoting_is_taken_off() {
        let file = format!("{LINE}A: 1\n\n>From x\n>>From y\nFrom z\n>From: w\nx >From v\n\n");
        let read = |quoting| mails(file.as_bytes(), quoting).remove(0).1;
        let body = |one: &str, two: &str| {
            format!("A: 1\n\n{one}From x\n{two}From y\nFrom z\n>From: w\nx >From v\n")
        };
        assert_eq!(read(MboxQuoting::Rd), body("", ">"));
        assert_eq!(read(MboxQuoting::O), body("", ">>"));
        assert_eq!(read(MboxQuoting::None), body(">", ">>"));
    }

    #[test]
    fn without_quoting_a_separator_needs_an_empty_line_before_it() {
        let file = format!("{LINE}A: 1\n\nsee\n{LINE}B: 2\n\n{LINE}C: 3\n\r\n{LINE}{LINE}D: 4\n");
        let read = |quoting| -> Vec<String> {
            let mails = mails(file.as_bytes(), quoting).into_iter();
            mails.map(|(_, mail)| mail).collect()
        };
        let first = format!("A: 1\n\nsee\n{LINE}B: 2\n");
        assert_eq!(
            read(MboxQuoting::None),
            [&first, "C: 3\n", "", "D: 4\n"].map(str::to_owned)
        );
        assert_eq!(read(MboxQuoting::Rd).len(), 5);
        // A mail that is opened at its separator is the same one.
        let offset = file
            .find("\nFrom a@b.example Mon Jan  5 10:00:00 2026\nC")
            .unwrap()
            + 1;
        let rest = &file.as_bytes()[offset..];
        let mut splitter = Splitter::new(rest, offset as u64, MboxQuoting::None);
        let at = splitter.next_mail().unwrap().unwrap().offset;
        assert_eq!(at, offset as u64);
    }

    #[test]
    fn a_separator_inside_of_a_long_line_is_text() {
        let long = "x".repeat(64 << 10);
        let file = format!("{LINE}A: 1\n\n{long}{LINE}");
        let read = mails(file.as_bytes(), MboxQuoting::Rd);
        assert_eq!(read, [(0, format!("A: 1\n\n{long}{LINE}"))]);
    }
}
