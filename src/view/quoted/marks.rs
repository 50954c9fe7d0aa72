//! The marks that mail programs put around what they quote.

/// Lines that an attribution may take; programs wrap it.
const ATTRIBUTION_LINES: usize = 4;
/// Lines of a header block that are looked at.
const BLOCK_LINES: usize = 12;
/// Bytes of one line that are looked at.
const LINE_BYTES: usize = 1_000;
const MAX_DEPTH: usize = 100;
/// Bytes above a quote that are looked at for words that point to it.
const POINTER_BYTES: usize = 600;

/// The lines of a text and where they begin.
pub(super) struct Lines<'t> {
    text: &'t str,
    /// Start of each line, and the end of the text.
    starts: Vec<usize>,
    /// The last line with a quote mark.
    last_marked: Option<usize>,
}

/// What a line of a header block names.
#[derive(PartialEq, Clone, Copy)]
enum Label {
    From,
    Date,
    To,
    Cc,
    Subject,
}

const LABELS: &[(&str, Label)] = &[
    ("from", Label::From),
    ("de", Label::From),
    ("von", Label::From),
    ("sent", Label::Date),
    ("date", Label::Date),
    ("envoy\u{e9}", Label::Date),
    ("envoy\u{e9} le", Label::Date),
    ("gesendet", Label::Date),
    ("datum", Label::Date),
    ("to", Label::To),
    ("\u{e0}", Label::To),
    ("a", Label::To),
    ("an", Label::To),
    ("cc", Label::Cc),
    ("kopie", Label::Cc),
    ("copie", Label::Cc),
    ("copie \u{e0}", Label::Cc),
    ("subject", Label::Subject),
    ("objet", Label::Subject),
    ("betreff", Label::Subject),
];

/// What stands between hyphens above a mail that follows.
const SEPARATORS: &[&str] = &[
    "original message",
    "forwarded message",
    "message d'origine",
    "message original",
    "message transf\u{e9}r\u{e9}",
    "urspr\u{fc}ngliche nachricht",
    "original-nachricht",
    "weitergeleitete nachricht",
];

/// What Apple Mail writes above a mail that it forwards.
const FORWARDS: &[&str] = &[
    "begin forwarded message:",
    "d\u{e9}but du message r\u{e9}exp\u{e9}di\u{e9} :",
    "d\u{e9}but du message transf\u{e9}r\u{e9} :",
    "anfang der weitergeleiteten nachricht:",
];

/// How an attribution begins, what it says, and how it may end.
const ATTRIBUTIONS: &[(&str, &str)] = &[
    ("on ", " wrote"),
    ("le ", " a \u{e9}crit"),
    ("am ", " schrieb"),
    ("", " wrote"),
    ("", " a \u{e9}crit"),
    ("", " schrieb"),
];

/// What a program on a telephone writes below a text.
const PROGRAM_LINES: &[&str] = &[
    "get outlook for ",
    "sent from outlook for ",
    "sent from my ",
    "sent from mail for windows",
    "outlook f\u{fc}r ",
    "holen sie sich outlook f\u{fc}r ",
    "gesendet von outlook f\u{fc}r ",
    "von meinem iphone gesendet",
    "von meinem ipad gesendet",
    "gesendet von meinem ",
    "gesendet von mail f\u{fc}r windows",
    "obtenir outlook pour ",
    "t\u{e9}l\u{e9}charger outlook pour ",
    "envoy\u{e9} de mon ",
    "envoy\u{e9} depuis mon ",
    "envoy\u{e9} \u{e0} partir de outlook pour ",
];

/// Words that point to answers within a quote.
const POINTERS: &[&str] = &[
    "below",
    "inline",
    "in-line",
    "my answers",
    "my replies",
    "my comments",
    "my responses",
    "in red",
    "in blue",
    "in green",
    "in bold",
    "in colour",
    "in color",
    "unten",
    "im text",
    "meine antworten",
    "meine anmerkungen",
    "in rot",
    "in blau",
    "in gr\u{fc}n",
    "farbig",
    "ci-dessous",
    "plus bas",
    "mes r\u{e9}ponses",
    "mes commentaires",
    "dans le texte",
    "en rouge",
    "en bleu",
    "en vert",
];

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let mut starts = vec![0];
        for line in text.split_inclusive('\n') {
            starts.push(starts.last().copied().unwrap_or_default() + line.len());
        }
        let mut lines = Self {
            text,
            starts,
            last_marked: None,
        };
        lines.last_marked = (0..lines.len()).rev().find(|line| lines.depth(*line) > 0);
        lines
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Where a line begins; behind the last, the end of the text.
    pub(super) fn start(&self, index: usize) -> usize {
        self.starts.get(index).copied().unwrap_or(self.text.len())
    }

    fn line(&self, index: usize) -> &'t str {
        let line = self.text.get(self.start(index)..self.start(index + 1));
        let line = line.unwrap_or_default();
        line.get(..line.floor_char_boundary(LINE_BYTES))
            .unwrap_or(line)
    }

    pub(super) fn is_blank(&self, index: usize) -> bool {
        self.line(index).trim().is_empty()
    }

    /// How many quote marks a line begins with: `>`, `>>`, `> >`.
    pub(super) fn depth(&self, index: usize) -> usize {
        let mut depth = 0;
        let mut spaces = 0;
        for c in self.line(index).chars() {
            match c {
                '>' => (depth, spaces) = (depth + 1, 0),
                ' ' if spaces == 0 && depth > 0 => spaces += 1,
                _ => break,
            }
        }
        depth.min(MAX_DEPTH)
    }

    /// The depth of the first line from here that is not blank; looks at few lines.
    pub(super) fn depth_behind(&self, index: usize) -> usize {
        let mut near = index..self.len().min(index + 4);
        near.find(|line| !self.is_blank(*line))
            .map_or(0, |line| self.depth(line))
    }

    /// Whether a line with a quote mark follows, from this line on.
    pub(super) fn has_marks_from(&self, index: usize) -> bool {
        self.last_marked.is_some_and(|last| last >= index)
    }

    /// The signature mark of RFC 3676 4.3. Without its space it may as well divide what the author says.
    pub(super) fn is_signature(&self, index: usize) -> bool {
        self.line(index).trim_end_matches(['\r', '\n']) == "-- "
    }

    /// A line such as "Get Outlook for iOS" that stands alone, above a quote or at the end.
    pub(super) fn is_program_line(&self, index: usize) -> bool {
        let line = self.line(index).trim();
        let known = || {
            let line = lower(line);
            PROGRAM_LINES.iter().any(|begin| line.starts_with(begin))
        };
        let is_short = line.chars().count() <= 120;
        if !is_short || (index > 0 && !self.is_blank(index - 1)) || !known() {
            return false;
        }
        let behind = index + 1 + self.blank_lines(index + 1);
        behind >= self.len()
            || self.depth(behind) > 0
            || self.header_block(behind).is_some()
            || self.attribution(behind).is_some()
    }

    /// Whether the words above a line say that answers stand below it.
    pub(super) fn points_below(&self, index: usize) -> bool {
        let above = self.text.get(..self.start(index)).unwrap_or_default();
        let from = above.ceil_char_boundary(above.len().saturating_sub(POINTER_BYTES));
        let words = lower(above.get(from..).unwrap_or_default());
        POINTERS.iter().any(|pointer| is_word_of(&words, pointer))
    }

    /// Whether a separator says that a mail is forwarded.
    pub(super) fn is_forward(&self, index: usize) -> bool {
        let line = lower(self.line(index).trim());
        FORWARDS.contains(&&*line)
            || (line.starts_with("--")
                && ["forwarded", "transf\u{e9}r\u{e9}", "weitergeleitet"]
                    .iter()
                    .any(|word| line.contains(word)))
    }

    /// How many lines the header block takes that begins here: a separator, a block of fields, or both.
    pub(super) fn header_block(&self, index: usize) -> Option<usize> {
        if self.is_separator(index) {
            let above = self.blank_lines(index + 1);
            let fields = self
                .fields(index + 1 + above)
                .map_or(0, |count| above + count);
            return Some(1 + fields);
        }
        if self.is_rule(index) {
            let above = self.blank_lines(index + 1);
            return self
                .fields(index + 1 + above)
                .map(|count| 1 + above + count);
        }
        self.fields(index)
    }

    fn blank_lines(&self, index: usize) -> usize {
        (index..self.len().min(index + 3))
            .take_while(|line| self.is_blank(*line))
            .count()
    }

    fn is_separator(&self, index: usize) -> bool {
        let line = lower(self.line(index).trim());
        let inside = line.trim_matches(['-', ' ']);
        let is_framed = line.starts_with("--") && line.ends_with("--");
        (is_framed && SEPARATORS.contains(&inside)) || FORWARDS.contains(&&*line)
    }

    /// The line of underscores that Outlook draws.
    fn is_rule(&self, index: usize) -> bool {
        let line = self.line(index).trim();
        line.len() >= 10 && line.bytes().all(|b| b == b'_')
    }

    /// How many lines the fields take that begin here: From, and at least two others of which one is the
    /// date or the subject.
    fn fields(&self, index: usize) -> Option<usize> {
        if self.label(index) != Some(Label::From) {
            return None;
        }
        let mut found = vec![Label::From];
        let mut count = 1;
        for line in index + 1..self.len().min(index + BLOCK_LINES) {
            match self.label(line) {
                Some(label) if found.contains(&label) => break,
                Some(label) => found.push(label),
                None if self.is_blank(line) || found.contains(&Label::Subject) => break,
                None => {}
            }
            count = line + 1 - index;
        }
        let sure = found.contains(&Label::Date) || found.contains(&Label::Subject);
        (sure && found.len() >= 3).then_some(count)
    }

    fn label(&self, index: usize) -> Option<Label> {
        let (name, _) = self.line(index).split_once(':')?;
        let name = name.trim_matches(|c: char| c == '*' || c.is_whitespace());
        if name.len() > 16 {
            return None;
        }
        let name = lower(name);
        let known = LABELS.iter().find(|(label, _)| *label == name);
        known.map(|(_, label)| *label)
    }

    /// How many lines the attribution takes that begins here.
    ///
    /// It must be followed by quote marks, or name a date and an address.
    pub(super) fn attribution(&self, index: usize) -> Option<usize> {
        let mut joined = String::new();
        for count in 1..=ATTRIBUTION_LINES {
            let at = index + count - 1;
            if at >= self.len() || self.is_blank(at) || self.depth(at) > 0 {
                return None;
            }
            let line = self.line(at).trim();
            let begins = lower(line.get(..line.floor_char_boundary(3)).unwrap_or_default());
            if count > 1 && matches!(&*begins, "on " | "le " | "am ") {
                return None;
            }
            joined.push(' ');
            joined.push_str(line);
            if joined.ends_with(':') {
                return self
                    .is_attribution(&lower(joined.trim()), index, count)
                    .then_some(count);
            }
        }
        None
    }

    fn is_attribution(&self, text: &str, index: usize, count: usize) -> bool {
        let marked = self.depth_behind(index + count) > 0;
        let dated = text.contains(|c: char| c.is_ascii_digit());
        ATTRIBUTIONS.iter().any(|(begin, verb)| {
            let is_short = begin.is_empty();
            let says = text.starts_with(begin) && text.contains(verb);
            // "Ada wrote:" is too common to count without marks; so is "On 3 May you wrote to ada@x about 2 pumps:".
            let sure =
                marked || (dated && text.contains('@') && !is_short && ends_as_named(text, verb));
            says && sure && (!is_short || count == 1)
        })
    }
}

/// Whether an attribution ends with its verb, or with the address of the one who wrote: `schrieb Ada <ada@example.com>:`.
fn ends_as_named(text: &str, verb: &str) -> bool {
    let text = text.trim_end_matches(|c: char| c == ':' || c.is_whitespace());
    text.ends_with(verb) || text.ends_with('>') && text.contains(" schrieb ")
}

/// Whether words stand in a text, and not within a longer word.
fn is_word_of(text: &str, words: &str) -> bool {
    let mut found = text.match_indices(words);
    found.any(|(at, _)| {
        let before = text.get(..at).and_then(|before| before.chars().next_back());
        let behind = text.get(at + words.len()..);
        let behind = behind.and_then(|behind| behind.chars().next());
        !before.is_some_and(char::is_alphanumeric) && !behind.is_some_and(char::is_alphanumeric)
    })
}

/// In lower case, with plain spaces and apostrophes.
fn lower(text: &str) -> String {
    let plain = |c| match c {
        '\u{a0}' | '\u{202f}' => ' ',
        '\u{2019}' => '\'',
        _ => c,
    };
    text.chars()
        .map(plain)
        .flat_map(char::to_lowercase)
        .collect()
}
