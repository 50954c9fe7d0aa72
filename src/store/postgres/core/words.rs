//! The words of messages for the search, folded here, so that every engine finds the same.

use std::collections::{BTreeMap, BTreeSet};

use crate::store::MessageRecord;
use crate::store::postgres::fault::{Done, Fault};
use crate::store::postgres::migrate::Words as Kept;
use crate::store::postgres::pool::{Tx, Write};
use crate::store::postgres::values::column;
use crate::store::words::words;

/// Bytes of one word that are kept: a `tsvector` holds words of less than 2 KiB.
const WORD_BYTES: usize = 1_000;

/// Bytes of all words of a mail that are kept: a `tsvector` is less than 1 MiB.
const ALL_BYTES: usize = 512 * 1024;

/// The words of one message, each once.
#[derive(Debug)]
pub(super) struct Words {
    no: i64,
    words: BTreeSet<String>,
}

impl Words {
    /// The words of a message that is new.
    pub(super) fn of(no: i64, record: &MessageRecord) -> Self {
        let mut all = Self::empty(no);
        all.add(&record.subject);
        for participant in &record.participants {
            all.add(participant.name.as_deref().unwrap_or_default());
            all.add(&participant.address);
        }
        all
    }

    fn empty(no: i64) -> Self {
        Self {
            no,
            words: BTreeSet::new(),
        }
    }

    /// Adds the words of a text, as long as there is room.
    pub(super) fn add(&mut self, text: &str) {
        let mut bytes: usize = self.words.iter().map(|word| word.len() + 8).sum();
        for mut word in words(text) {
            cut(&mut word);
            bytes += word.len() + 8;
            if bytes > ALL_BYTES {
                return;
            }
            self.words.insert(word);
        }
    }

    fn joined(&self) -> String {
        let words: Vec<&str> = self.words.iter().map(String::as_str).collect();
        words.join(" ")
    }
}

fn cut(word: &mut String) {
    if word.len() > WORD_BYTES {
        word.truncate(word.floor_char_boundary(WORD_BYTES));
    }
}

/// The words of messages that are there, by number, without their bodies.
pub(super) async fn stored(tx: &Tx, numbers: &[i64]) -> Done<BTreeMap<i64, Words>> {
    let mut found = BTreeMap::new();
    let subjects = "SELECT no, subject FROM message WHERE no = ANY($1)";
    for row in &tx.rows(subjects, &[&numbers]).await? {
        let no = column(row, "no")?;
        let mut words = Words::empty(no);
        words.add(column(row, "subject")?);
        found.insert(no, words);
    }
    let named = "SELECT message_no, address, name FROM participant WHERE message_no = ANY($1)";
    for row in &tx.rows(named, &[&numbers]).await? {
        let words = found.get_mut(&column(row, "message_no")?);
        let words = words.ok_or(Fault::Damaged("a participant"))?;
        words.add(column::<Option<&str>>(row, "name")?.unwrap_or_default());
        words.add(column(row, "address")?);
    }
    Ok(found)
}

/// The statement that writes words, if there are any. Words with a body take the place of those without.
pub(super) fn write<'a>(kept: Kept, all: &[Words]) -> Option<Write<'a>> {
    if all.is_empty() {
        return None;
    }
    let numbers: Vec<i64> = all.iter().map(|words| words.no).collect();
    let words: Vec<String> = all.iter().map(Words::joined).collect();
    let pick = match kept {
        Kept::Vector => "array_to_tsvector(string_to_array(r.words, ' '))",
        Kept::Plain => "' ' || r.words || ' '",
    };
    let sql = format!(
        "INSERT INTO search (message_no, words) SELECT r.no, {pick}
         FROM UNNEST($1::bigint[], $2::text[]) AS r (no, words)
         ON CONFLICT (message_no) DO UPDATE SET words = excluded.words"
    );
    Some(Write::new(sql, vec![Box::new(numbers), Box::new(words)]))
}

/// What a text asks of the words of a message: every word, the last as a beginning. `None` without a word.
pub(super) fn question(kept: Kept, text: &str) -> Option<Vec<String>> {
    let mut asked = words(text);
    asked.iter_mut().for_each(cut);
    let last = asked.len().checked_sub(1)?;
    let whole = (0..).zip(asked);
    Some(match kept {
        Kept::Vector => {
            let parts = whole.map(|(number, word)| {
                let beginning = if number == last { ":*" } else { "" };
                format!("'{word}'{beginning}")
            });
            vec![parts.collect::<Vec<_>>().join(" & ")]
        }
        Kept::Plain => whole
            .map(|(number, word)| {
                let end = if number == last { "" } else { " " };
                format!("% {word}{end}%")
            })
            .collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_is_a_beginning_and_none_is_syntax() {
        let cases = [
            ("", None, None),
            (" - % _ ' ", None, None),
            (
                "Angebot",
                Some(vec!["'angebot':*"]),
                Some(vec!["% angebot%"]),
            ),
            (
                "M\u{fc}ller & 'x' | !",
                Some(vec!["'muller' & 'x':*"]),
                Some(vec!["% muller %", "% x%"]),
            ),
        ];
        for (text, vector, plain) in cases {
            let own = |words: Option<Vec<&str>>| {
                words.map(|words| words.into_iter().map(str::to_owned).collect::<Vec<_>>())
            };
            assert_eq!(question(Kept::Vector, text), own(vector), "{text}");
            assert_eq!(question(Kept::Plain, text), own(plain), "{text}");
        }
    }

    #[test]
    fn words_beyond_the_limits_of_a_vector_are_left_out_or_cut() {
        let mut words = Words::empty(1);
        words.add(&"\u{e4}x".repeat(2_000));
        assert!(words.words.iter().all(|word| word.len() <= WORD_BYTES));
        let many: Vec<String> = (0..200_000).map(|n| format!("w{n}")).collect();
        words.add(&many.join(" "));
        assert!(words.joined().len() < ALL_BYTES);
    }
}
