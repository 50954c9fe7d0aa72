//! What the person in front of the browser sees at the end. It holds no secret, and nothing of what was called.

use email_logging::error::Error;

use crate::exit;

/// The page of a sign-in that ended.
pub(super) fn of(outcome: Result<(), &Error>) -> String {
    match outcome {
        Ok(()) => page(
            "You are signed in",
            "✓",
            "#0a7d33",
            &[
                "Email logging has the consent of your organization.",
                "You can close this window and go back to the terminal.",
            ],
        ),
        Err(error) => page(
            "The sign-in did not work",
            "×",
            "#b3261e",
            &[
                &sentence(&exit::what(error, None)),
                exit::remedy(error),
                "You can close this window; the terminal says more.",
            ],
        ),
    }
}

/// The page of another address.
pub(super) fn elsewhere() -> String {
    page(
        "Nothing is here",
        "·",
        "#555",
        &["This page waits for a sign-in alone."],
    )
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}

fn page(title: &str, sign: &str, colour: &str, lines: &[&str]) -> String {
    let mut paragraphs = String::new();
    for line in lines {
        paragraphs.push_str("<p>");
        paragraphs.push_str(&escaped(line));
        paragraphs.push_str(
            "</p>
",
        );
    }
    let title = escaped(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n<style>\n\
         body {{ font: 1.1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto; padding: 0 1rem; \
         color-scheme: light dark; }}\nh1 span {{ color: {colour}; }}\n</style>\n</head>\n<body>\n\
         <h1><span>{sign}</span> {title}</h1>\n{paragraphs}</body>\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use email_logging::error::{Error, codes};

    use super::*;

    #[test]
    fn what_a_stranger_wrote_is_text_and_no_markup() {
        let error = Error::new(&codes::OAUTH_TOKEN_REFUSED, "AdminConsent")
            .with_detail("<script>alert('1')</script> & \"more\"");
        let page = of(Err(&error));
        assert!(!page.contains("<script>"), "{page}");
        assert!(
            page.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; &quot;more&quot;"),
            "{page}"
        );
    }

    #[test]
    fn a_failure_says_what_happened_and_what_to_do() {
        let error = Error::new(&codes::OAUTH_CONSENT_DECLINED, "AdminConsent");
        let page = of(Err(&error));
        assert!(page.contains("The sign-in did not work"), "{page}");
        assert!(
            page.contains("The consent was declined") || page.contains("igning in"),
            "{page}"
        );
    }
}
