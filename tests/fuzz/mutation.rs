//! How inputs are made out of others.

use proptest::prelude::*;
use proptest::sample::Index;

/// One change to an input.
#[derive(Debug, Clone)]
enum Change {
    /// A byte becomes another.
    Set(Index, u8),
    /// A byte comes in.
    Insert(Index, u8),
    /// Some bytes go out.
    Remove(Index, u8),
    /// A word of the language comes in.
    Word(Index, Index),
    /// A piece stands there so often.
    Repeat(Index, u8, u8),
    /// The rest is that of another seed.
    Cross(Index, Index, Index),
    /// It ends here.
    Cut(Index),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        2 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Insert(at, byte)),
        3 => (at(), any::<u8>()).prop_map(|(at, count)| Change::Remove(at, count)),
        6 => (at(), at()).prop_map(|(at, word)| Change::Word(at, word)),
        2 => (at(), any::<u8>(), any::<u8>())
            .prop_map(|(at, size, times)| Change::Repeat(at, size, times)),
        2 => (at(), at(), at()).prop_map(|(at, seed, from)| Change::Cross(at, seed, from)),
        1 => at().prop_map(Change::Cut),
    ]
}

impl Change {
    fn apply(&self, input: &mut Vec<u8>, seeds: &[Vec<u8>], words: &[&str]) {
        let place = |at: &Index| at.index(input.len() + 1);
        match self {
            Self::Set(at, byte) if !input.is_empty() => {
                let at = at.index(input.len());
                input[at] = *byte;
            }
            Self::Set(_, byte) => input.push(*byte),
            Self::Insert(at, byte) => {
                let at = place(at);
                input.insert(at, *byte);
            }
            Self::Remove(at, count) => {
                let from = place(at);
                let to = (from + usize::from(count % 16) + 1).min(input.len());
                input.drain(from..to.max(from));
            }
            Self::Word(at, word) if !words.is_empty() => {
                let at = place(at);
                input.splice(at..at, words[word.index(words.len())].bytes());
            }
            Self::Word(..) => {}
            Self::Repeat(at, size, times) => {
                let from = place(at);
                let piece = &input[from..input.len().min(from + usize::from(*size) / 4)];
                let many = piece.repeat(usize::from(times % 32));
                input.splice(from..from, many);
            }
            Self::Cross(at, seed, from) => {
                let other = &seeds[seed.index(seeds.len())];
                let (at, from) = (place(at), from.index(other.len() + 1));
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            Self::Cut(at) => {
                let at = place(at);
                input.truncate(at);
            }
        }
    }
}

/// Changed seeds, and now and then any bytes at all.
pub(super) fn inputs(
    seeds: Vec<Vec<u8>>,
    words: &'static [&'static str],
) -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec(change(), 0..8);
    let from_seed = (any::<Index>(), changes).prop_map(move |(seed, changes)| {
        let mut input = seeds[seed.index(seeds.len())].clone();
        for change in &changes {
            change.apply(&mut input, &seeds, words);
        }
        input
    });
    prop_oneof![
        12 => from_seed,
        1 => prop::collection::vec(any::<u8>(), 0..200),
    ]
}
