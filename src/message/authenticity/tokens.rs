//! The words of a structured header value, without comments and with quoted strings opened.

/// One word, or the sign between a method and its result.
#[derive(Debug, PartialEq)]
enum Token {
    Word(String),
    Equals,
}

/// What stands between two semicolons.
#[derive(Debug, Default)]
pub(super) struct Segment(Vec<Token>);

impl Segment {
    /// Method and result, in lower case: `dmarc/1 = fail` is `dmarc` and `fail`.
    pub(super) fn result(&self) -> Option<(String, String)> {
        let at = self.0.iter().position(|token| *token == Token::Equals)?;
        let method = self.first_word()?;
        let method = method.split('/').next().unwrap_or_default().to_owned();
        let result = match self.0.get(at + 1) {
            Some(Token::Word(result)) => result.to_ascii_lowercase(),
            _ => String::new(),
        };
        Some((method, result))
    }

    /// The first word, in lower case; none if the segment does not begin with one.
    pub(super) fn first_word(&self) -> Option<String> {
        match self.0.first() {
            Some(Token::Word(word)) => Some(word.to_ascii_lowercase()),
            _ => None,
        }
    }
}

/// Takes a value apart in one pass (RFC 8601 2.2, RFC 5322 3.2.2 and 3.2.4).
///
/// A comment or quoted string that does not end takes the rest with it.
pub(super) fn segments(value: &str) -> Vec<Segment> {
    let mut segments = vec![Segment::default()];
    let mut word = String::new();
    let mut rest = value.chars();
    while let Some(c) = rest.next() {
        match c {
            '(' | ';' | '=' => {
                finish(&mut segments, &mut word);
                match c {
                    '(' => skip_comment(&mut rest),
                    ';' => segments.push(Segment::default()),
                    _ => push(&mut segments, Token::Equals),
                }
            }
            '"' => word.push_str(&quoted(&mut rest)),
            c if c.is_whitespace() => finish(&mut segments, &mut word),
            c => word.push(c),
        }
    }
    finish(&mut segments, &mut word);
    segments
}

fn finish(segments: &mut [Segment], word: &mut String) {
    if !word.is_empty() {
        push(segments, Token::Word(std::mem::take(word)));
    }
}

fn push(segments: &mut [Segment], token: Token) {
    if let Some(segment) = segments.last_mut() {
        segment.0.push(token);
    }
}

fn skip_comment(rest: &mut std::str::Chars<'_>) {
    let mut depth = 1_usize;
    while depth > 0 {
        match rest.next() {
            Some('(') => depth += 1,
            Some(')') => depth -= 1,
            Some('\\') => {
                rest.next();
            }
            Some(_) => {}
            None => return,
        }
    }
}

fn quoted(rest: &mut std::str::Chars<'_>) -> String {
    let mut text = String::new();
    while let Some(c) = rest.next() {
        match c {
            '"' => break,
            '\\' => text.extend(rest.next()),
            c => text.push(c),
        }
    }
    text
}
