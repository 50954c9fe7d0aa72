//! Words of a search: letters and digits, without case and diacritics.
//!
//! It folds what the tokenizer `unicode61` of SQLite's FTS5 folds with `remove_diacritics 2`: Latin letters lose their marks,
//! marks of their own disappear, and letters of other scripts lose their case alone.

/// The words of a text, in its order.
pub(super) fn words(text: &str) -> Vec<String> {
    fold(text)
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The text in lower case and without diacritics.
fn fold(text: &str) -> String {
    let lower = text.chars().flat_map(char::to_lowercase);
    lower.filter(|c| !is_mark(*c)).map(bare).collect()
}

/// The combining marks that stand above or below letters.
fn is_mark(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

fn bare(letter: char) -> char {
    if letter.is_ascii() {
        return letter;
    }
    let folded = FOLDED.iter().find(|(_, marked)| marked.contains(letter));
    folded.map_or(letter, |(bare, _)| *bare)
}

const FOLDED: &[(char, &str)] = &[
    ('a', "àáâãäåāăąǎǟǻȁȃȧḁạảấầẩẫậắằẳẵặ"),
    ('b', "ḃḅḇ"),
    ('c', "çćĉċčḉ"),
    ('d', "ďḋḍḏḑḓ"),
    ('e', "èéêëēĕėęěȅȇȩḕḗḙḛḝẹẻẽếềểễệ"),
    ('f', "ḟ"),
    ('g', "ĝğġģǧǵḡ"),
    ('h', "ĥȟḣḥḧḩḫẖ"),
    ('i', "ìíîïĩīĭįǐȉȋḭḯỉị"),
    ('j', "ĵǰ"),
    ('k', "ķǩḱḳḵ"),
    ('l', "ĺļľḷḹḻḽ"),
    ('m', "ḿṁṃ"),
    ('n', "ñńņňǹṅṇṉṋ"),
    ('o', "òóôõöōŏőơǒǫǭȍȏȫȭȯȱṍṏṑṓọỏốồổỗộớờởỡợ"),
    ('p', "ṕṗ"),
    ('r', "ŕŗřȑȓṙṛṝṟ"),
    ('s', "śŝşšſșṡṣṥṧṩẛ"),
    ('t', "ţťțṫṭṯṱẗ"),
    ('u', "ùúûüũūŭůűųưǔǖǘǚǜȕȗṳṵṷṹṻụủứừửữự"),
    ('v', "ṽṿ"),
    ('w', "ŵẁẃẅẇẉẘ"),
    ('x', "ẋẍ"),
    ('y', "ýÿŷȳẏẙỳỵỷỹ"),
    ('z', "źżžẑẓẕ"),
    ('μ', "µ"),
    ('σ', "ς"),
];

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn case_and_diacritics_are_folded() {
        let cases = [
            ("Stra\u{df}e", "stra\u{df}e"),
            ("M\u{dc}LLER", "muller"),
            ("Mu\u{308}ller", "muller"),
            ("\u{130}stanbul", "istanbul"),
            ("Nguy\u{1ec5}n", "nguyen"),
            ("\u{17d}i\u{17e}ek", "zizek"),
            ("\u{141}\u{f3}d\u{17a}", "\u{142}odz"),
            ("\u{39f}\u{3a3}", "\u{3bf}\u{3c3}"),
            ("\u{41c}\u{41e}\u{421}", "\u{43c}\u{43e}\u{441}"),
            ("a.B 7", "a.b 7"),
        ];
        for (text, folded) in cases {
            assert_eq!(fold(text), folded);
        }
    }
}
