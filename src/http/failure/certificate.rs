//! What is wrong with a server's certificate: a code of its own for each cause, and a clause about what was found.
//!
//! The texts of a certificate are the server's words: they are cut and cleaned here, and nothing else may show them.

use jiff::Timestamp;
use rustls::CertificateError as Wrong;
use rustls::pki_types::UnixTime;

use crate::error::{Code, Error, codes};

/// Names that are shown, and letters of each.
const NAMES: usize = 3;
const LETTERS: usize = 64;

/// The error of a failed handshake. The cause is left out where it would repeat the names in the certificate.
pub(super) fn tls_error(
    operation: &'static str,
    tls: &rustls::Error,
    source: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    let rustls::Error::InvalidCertificate(wrong) = tls else {
        return Error::new(&codes::HTTP_TLS, operation).with_source(source);
    };
    let error = Error::new(code(wrong), operation);
    match wrong {
        Wrong::NotValidForNameContext { presented, .. } => error.with_detail(names(presented)),
        Wrong::ExpiredContext { not_after, .. } => {
            error.with_source(source).with_detail(until(*not_after))
        }
        Wrong::NotValidYetContext { not_before, .. } => {
            error.with_source(source).with_detail(from(*not_before))
        }
        _ => error.with_source(source),
    }
}

fn code(wrong: &Wrong) -> &'static Code {
    match wrong {
        Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => &codes::HTTP_TLS_HOST,
        Wrong::Expired | Wrong::ExpiredContext { .. } => &codes::HTTP_TLS_EXPIRED,
        Wrong::NotValidYet | Wrong::NotValidYetContext { .. } => &codes::HTTP_TLS_NOT_YET_VALID,
        Wrong::UnknownIssuer | Wrong::BadSignature => &codes::HTTP_TLS_UNTRUSTED,
        Wrong::ApplicationVerificationFailure => &codes::HTTP_TLS_PIN,
        _ => &codes::HTTP_TLS,
    }
}

/// The first DNS names of a certificate, which come as `DnsName("…")`.
fn names(presented: &[String]) -> String {
    let dns = presented.iter().filter_map(|name| {
        let name = name.strip_prefix("DnsName(\"")?;
        Some(name.strip_suffix("\")").unwrap_or(name))
    });
    let shown: Vec<String> = dns.clone().take(NAMES).map(cleaned).collect();
    match (shown.is_empty(), dns.count().saturating_sub(NAMES)) {
        (true, _) => "the certificate names no host".to_owned(),
        (false, 0) => format!("the certificate is for {}", shown.join(", ")),
        (false, more) => format!(
            "the certificate is for {} and {more} more",
            shown.join(", ")
        ),
    }
}

/// Letters that a host name may have, and `?` for every other.
fn cleaned(name: &str) -> String {
    let may = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '*');
    let letters = name.chars().map(|c| if may(c) { c } else { '?' });
    letters.take(LETTERS).collect()
}

fn until(time: UnixTime) -> String {
    time_in("it was valid until", time)
}

fn from(time: UnixTime) -> String {
    time_in("it is valid from", time)
}

fn time_in(clause: &str, time: UnixTime) -> String {
    let seconds = i64::try_from(time.as_secs()).ok();
    match seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()) {
        Some(time) => format!("{clause} {time}"),
        None => format!("{clause} a time that cannot be told"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_names_are_shown_and_cleaned() {
        for (presented, expected) in [
            (&[][..], "the certificate names no host"),
            (&["Unsupported(0x00)"], "the certificate names no host"),
            (
                &["DnsName(\"a.example\")"],
                "the certificate is for a.example",
            ),
            (
                &["DnsName(\"\u{1b}[31m\r\nx\")"],
                "the certificate is for ??31m??x",
            ),
            (
                &[
                    "DnsName(\"a\")",
                    "IpAddress(127.0.0.1)",
                    "DnsName(\"*.b\")",
                    "DnsName(\"c\")",
                    "DnsName(\"d\")",
                    "DnsName(\"e\")",
                ],
                "the certificate is for a, *.b, c and 2 more",
            ),
        ] {
            let presented: Vec<_> = presented.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(names(&presented), expected);
        }
        let long = names(&[format!("DnsName(\"{}\")", "x".repeat(999))]);
        assert_eq!(long.len(), "the certificate is for ".len() + LETTERS);
    }
}
