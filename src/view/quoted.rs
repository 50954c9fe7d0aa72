//! What of a text is its author's own, what is quoted, and what is a signature.
//!
//! A view only: the segments together are the text. Conservative: where a mark is in doubt the
//! text counts as the author's own. A quote without marks, as Outlook makes it, goes to the end; where the words above it
//! say that the answers stand below or in a colour, all of it counts as own. Looks at each line a bounded number of times.

mod marks;

use marks::Lines;

/// What a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SegmentKind {
    /// Written by the author of this mail.
    Own,
    /// Quoted from an earlier mail.
    Quoted,
    /// The signature, from its `-- ` on, or the line of a program on a telephone.
    Signature,
}

/// A stretch of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Segment<'t> {
    /// What it is.
    pub kind: SegmentKind,
    /// How often it was quoted; 0 but for quotes.
    pub depth: usize,
    /// The lines that introduce a quote, such as `On … wrote:`; empty where there are none.
    pub header: &'t str,
    /// The text behind the header, quote marks and all.
    pub text: &'t str,
}

/// Splits a text into what is own, quoted and signature; the headers and texts of the segments, one
/// behind the other, are the text.
///
/// Knows the marks of Outlook, Gmail, Apple Mail and Thunderbird in English, French and German.
/// Answers between quotes stay own. Between lines that bear no marks they cannot be told apart, so that they are found only
/// where the text above points to them ("see my answers below", "in red").
///
/// ```
/// use email_logging::view::{SegmentKind, split_quoted};
///
/// let parts = split_quoted("Yes.\n\nOn 3 May 2026, Anna wrote:\n> Shall we?\nWe shall.\n");
/// let kinds: Vec<_> = parts.iter().map(|part| part.kind).collect();
/// assert_eq!(kinds, [SegmentKind::Own, SegmentKind::Quoted, SegmentKind::Own]);
/// assert_eq!(parts[1].header, "On 3 May 2026, Anna wrote:\n");
/// ```
pub fn split_quoted(text: &str) -> Vec<Segment<'_>> {
    let lines = Lines::of(text);
    let mut splitter = Splitter {
        text,
        segments: Vec::new(),
        open: None,
        thread: 0,
        is_interleaved: false,
    };
    let mut index = 0;
    while index < lines.len() {
        index += splitter.line(&lines, index);
    }
    splitter.end(text.len());
    splitter.segments
}

/// The author's own words alone, without quotes and signature.
///
/// Where nothing is left, as in a mail that only forwards, the whole text comes back.
pub fn own_text(text: &str) -> String {
    let segments = split_quoted(text);
    let own = segments.iter().filter(|s| s.kind == SegmentKind::Own);
    let own: String = own.map(|segment| segment.text).collect();
    let own = own.trim();
    if own.is_empty() { text.trim() } else { own }.to_owned()
}

struct Open {
    kind: SegmentKind,
    depth: usize,
    start: usize,
    /// Where the text begins behind the header.
    text_at: usize,
}

struct Splitter<'t> {
    text: &'t str,
    segments: Vec<Segment<'t>>,
    open: Option<Open>,
    /// How many header blocks were passed: all behind one is quoted, to the end.
    thread: usize,
    /// Whether the author says that answers stand between lines without marks.
    is_interleaved: bool,
}

impl Splitter<'_> {
    /// Takes the line at this index; answers how many lines it took.
    fn line(&mut self, lines: &Lines<'_>, index: usize) -> usize {
        let start = lines.start(index);
        if let Some(count) = lines.header_block(index) {
            if self.answers_below(lines, index) {
                self.continue_with(SegmentKind::Own, 0, start);
                return count;
            }
            self.thread += 1;
            self.begin(SegmentKind::Quoted, self.thread, start);
            self.header_ends(lines.start(index + count));
            return count;
        }
        let depth = lines.depth(index);
        if depth > 0 {
            self.continue_with(SegmentKind::Quoted, self.thread + depth, start);
            return 1;
        }
        if self.thread == 0
            && let Some(count) = lines.attribution(index)
        {
            let behind = lines.depth_behind(index + count);
            let is_bare = behind == 0 && !lines.has_marks_from(index + count);
            if is_bare && self.answers_below(lines, index) {
                self.continue_with(SegmentKind::Own, 0, start);
                return count;
            }
            // Without marks, all that follows was written by the one who is named.
            self.thread = usize::from(is_bare);
            self.begin(SegmentKind::Quoted, behind.max(1), start);
            self.header_ends(lines.start(index + count));
            return count;
        }
        if self.thread > 0 {
            self.continue_with(SegmentKind::Quoted, self.thread, start);
        } else if !self.is_interleaved
            && (lines.is_signature(index) || lines.is_program_line(index))
        {
            self.begin(SegmentKind::Signature, 0, start);
        } else if !lines.is_blank(index) || self.open.is_none() {
            let in_signature = self.open.as_ref().map(|open| open.kind);
            if in_signature != Some(SegmentKind::Signature) {
                self.continue_with(SegmentKind::Own, 0, start);
            }
        }
        1
    }

    /// Whether the own words above the first quote without marks say that answers stand within it.
    fn answers_below(&mut self, lines: &Lines<'_>, index: usize) -> bool {
        if self.thread == 0 && !self.is_interleaved {
            self.is_interleaved = !lines.is_forward(index) && lines.points_below(index);
        }
        self.is_interleaved
    }

    fn continue_with(&mut self, kind: SegmentKind, depth: usize, start: usize) {
        let same = |open: &Open| open.kind == kind && open.depth == depth;
        if !self.open.as_ref().is_some_and(same) {
            self.begin(kind, depth, start);
        }
    }

    fn begin(&mut self, kind: SegmentKind, depth: usize, start: usize) {
        self.end(start);
        self.open = Some(Open {
            kind,
            depth,
            start,
            text_at: start,
        });
    }

    fn header_ends(&mut self, at: usize) {
        if let Some(open) = &mut self.open {
            open.text_at = at;
        }
    }

    fn end(&mut self, end: usize) {
        if let Some(open) = self.open.take() {
            let piece = |from, to| self.text.get(from..to).unwrap_or_default();
            self.segments.push(Segment {
                kind: open.kind,
                depth: open.depth,
                header: piece(open.start, open.text_at),
                text: piece(open.text_at, end),
            });
        }
    }
}
