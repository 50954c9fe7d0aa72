//! PowerShell's single-quoted strings: which names may stand in a plan, and how they are written.
//!
//! Knows nothing of Exchange. Facts: Microsoft's about_Quoting_Rules and about_Special_Characters, and the language
//! specification, 2.3.5.2, by which PowerShell takes four more characters for a single quote.

use crate::error::{Error, Result, codes};

/// What PowerShell reads as a single quote.
pub(super) const SINGLE_QUOTES: [char; 5] = ['\'', '\u{2018}', '\u{2019}', '\u{201A}', '\u{201B}'];

const LONGEST: usize = 250;

/// The text as a single-quoted string, in which nothing is expanded. Each quote is doubled with itself.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('\'');
    for one in text.chars() {
        out.push(one);
        if SINGLE_QUOTES.contains(&one) {
            out.push(one);
        }
    }
    out.push('\'');
    out
}

/// The text as a comment: a line break would end it.
pub(super) fn comment(text: &str) -> String {
    format!("# {}", text.replace(['\r', '\n'], " "))
}

/// Refuses what cannot be the name of one thing: blank, too long, invisible, or a wildcard.
pub(super) fn check_name(what: &'static str, text: &str) -> Result<()> {
    let problem = if text.trim().is_empty() {
        "is blank"
    } else if text.chars().count() > LONGEST {
        "has more than 250 characters"
    } else if text.chars().any(is_invisible) {
        "holds a line break or another control character"
    } else if text.contains(['*', '?']) {
        "holds a wildcard"
    } else {
        return Ok(());
    };
    Err(refused(what, problem))
}

/// Refuses what is no mail address of the plain form `local@domain`, in ASCII, as Exchange keeps it.
pub(super) fn check_address(what: &'static str, text: &str) -> Result<()> {
    check_name(what, text)?;
    let plain = |one: char| one.is_ascii_graphic() && !"\"(),:;<>@[]\\`$".contains(one);
    match text.rsplit_once('@') {
        Some((local, domain))
            if !local.is_empty()
                && local.chars().all(plain)
                && domain.contains('.')
                && domain
                    .chars()
                    .all(|one| one.is_ascii_alphanumeric() || ".-".contains(one)) =>
        {
            Ok(())
        }
        _ => Err(refused(what, "is no mail address")),
    }
}

/// Refuses what is no GUID in the form `8-4-4-4-12`.
pub(super) fn check_guid(what: &'static str, text: &str) -> Result<()> {
    let lengths = text.split('-').map(str::len);
    let digits = text
        .chars()
        .all(|one| one == '-' || one.is_ascii_hexdigit());
    if digits && lengths.eq([8, 4, 4, 4, 12]) {
        Ok(())
    } else {
        Err(refused(what, "is no GUID"))
    }
}

pub(super) fn refused(what: &'static str, problem: &'static str) -> Error {
    Error::new(&codes::CONFIG_INVALID, "ProvisioningPlan::build")
        .with_detail(format!("{what} {problem}"))
}

/// Control characters, line separators, and the marks that change the direction of what a person reads.
fn is_invisible(one: char) -> bool {
    one.is_control()
        || matches!(
            one,
            '\u{2028}' | '\u{2029}' | '\u{200E}' | '\u{200F}' | '\u{FEFF}'
        )
        || ('\u{202A}'..='\u{202E}').contains(&one)
        || ('\u{2066}'..='\u{2069}').contains(&one)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_quote_that_powershell_knows_is_doubled_and_nothing_else_is_touched() {
        assert_eq!(quoted("O'Neil"), "'O''Neil'");
        assert_eq!(
            quoted("a\u{2019}b\u{201A}c"),
            "'a\u{2019}\u{2019}b\u{201A}\u{201A}c'"
        );
        assert_eq!(quoted("`$(x) \"y\""), "'`$(x) \"y\"'");
    }

    #[test]
    fn what_is_no_name_is_refused_with_its_problem() {
        for (text, problem) in [
            (" ", "is blank"),
            ("a\nb", "control character"),
            ("a\0", "control character"),
            ("a\u{2028}b", "control character"),
            ("a\u{202E}b", "control character"),
            ("Log*", "wildcard"),
            (&"x".repeat(251), "250"),
        ] {
            let error = check_name("the name", text).unwrap_err();
            assert_eq!(error.code(), "config.invalid");
            assert!(error.to_string().contains(problem), "{text:?}: {error}");
        }
    }

    #[test]
    fn addresses_and_guids_have_their_form() {
        for good in ["a@b.example", "o'neil@corp.example", "a+b@sub.corp.example"] {
            check_address("it", good).unwrap();
        }
        for bad in [
            "a",
            "@b.example",
            "a@b",
            "a b@c.example",
            "a@b@c.example",
            "a$(x)@c.example",
        ] {
            assert!(check_address("it", bad).is_err(), "{bad}");
        }
        check_guid("it", "3b5f3d61-589b-4a3c-a359-5dd4b5ee5bd5").unwrap();
        for bad in ["", "3b5f3d61", "3b5f3d61-589b-4a3c-a359-5dd4b5ee5bdg"] {
            assert!(check_guid("it", bad).is_err(), "{bad}");
        }
    }
}
