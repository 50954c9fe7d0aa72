//! Names of files in an archive: clean on every system, and unique by the number that they begin with.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Characters of a subject in a name.
const SUBJECT: usize = 60;

/// The name of a mail, such as `000042 2026-05-01 Offer.eml`.
pub(super) fn of_mail(entry_no: u64, date: Timestamp, subject: &str) -> String {
    let day = date.to_zoned(TimeZone::UTC).date();
    let name = format!("{entry_no:06} {day} {}", clean(subject));
    format!("{}.eml", name.trim_end_matches([' ', '.']))
}

/// Letters, digits and a few signs; whatever else there is becomes one `_`.
fn clean(subject: &str) -> String {
    let mut name = String::new();
    for c in subject.chars() {
        let kept = c.is_alphanumeric() || matches!(c, ' ' | '-' | '.' | ',' | '(' | ')');
        let c = if kept { c } else { '_' };
        let repeats = matches!(c, '_' | ' ' | '.') && name.ends_with(c);
        if !repeats {
            name.push(c);
        }
        if name.chars().count() >= SUBJECT {
            break;
        }
    }
    name.trim_matches([' ', '.', '_']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::of_mail;
    use jiff::Timestamp;

    #[test]
    fn a_name_is_clean_and_short() {
        let long = "x".repeat(300);
        for (subject, name) in [
            ("Offer", "000007 1970-01-01 Offer.eml"),
            ("", "000007 1970-01-01.eml"),
            ("../../etc/passwd", "000007 1970-01-01 etc_passwd.eml"),
            ("C:\\NUL\0", "000007 1970-01-01 C_NUL.eml"),
            ("RE: gpj.\u{202e}exe", "000007 1970-01-01 RE_ gpj._exe.eml"),
            (
                "Angebot f\u{fc}r \u{65e5}\u{672c} . .",
                "000007 1970-01-01 Angebot f\u{fc}r \u{65e5}\u{672c}.eml",
            ),
            ("a\r\nb", "000007 1970-01-01 a_b.eml"),
        ] {
            assert_eq!(
                of_mail(7, Timestamp::UNIX_EPOCH, subject),
                name,
                "{subject:?}"
            );
        }
        assert_eq!(of_mail(7, Timestamp::UNIX_EPOCH, &long).len(), 18 + 60 + 4);
    }
}
