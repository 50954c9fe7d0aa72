//! What wraps or protects the content of a mail, said as what it is.

use crate::message::{Original, OriginalPart};

/// A wrapping that the view does not open; its parts are among the attachments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Wrapper {
    /// Signed beside the readable text (RFC 8551 3.5.3, `smime.p7s`). The signature is not checked.
    SmimeSigned,
    /// Signed around the text (RFC 8551 3.5.2, `smime.p7m`): readable only in a mail program.
    SmimeOpaqueSigned,
    /// Encrypted (RFC 8551 3.3).
    SmimeEncrypted,
    /// Compressed, or certificates only, or of an unknown kind (`application/pkcs7-mime`).
    SmimeOther,
    /// Signed with OpenPGP (RFC 3156). The signature is not checked.
    PgpSigned,
    /// Encrypted with OpenPGP (RFC 3156).
    PgpEncrypted,
    /// Outlook's rich text in `winmail.dat` (MS-OXTNEF). Its attachments are listed.
    Tnef,
    /// One piece of a mail that was sent in several (`message/partial`).
    Partial,
    /// Content that lies elsewhere (`message/external-body`); it is not fetched.
    ExternalBody,
}

impl Wrapper {
    /// The stable short text that stands in `--json`.
    pub fn code(self) -> &'static str {
        match self {
            Self::SmimeSigned => "smime-signed",
            Self::SmimeOpaqueSigned => "smime-opaque-signed",
            Self::SmimeEncrypted => "smime-encrypted",
            Self::SmimeOther => "smime-other",
            Self::PgpSigned => "pgp-signed",
            Self::PgpEncrypted => "pgp-encrypted",
            Self::Tnef => "tnef",
            Self::Partial => "partial",
            Self::ExternalBody => "external-body",
        }
    }

    /// What a person should know.
    pub fn text(self) -> &'static str {
        match self {
            Self::SmimeSigned => "This mail is signed (S/MIME). The signature was not checked.",
            Self::SmimeOpaqueSigned => {
                "This mail is wrapped in its signature (S/MIME). Save the original to read it in a mail program."
            }
            Self::SmimeEncrypted => {
                "This mail is encrypted (S/MIME). Only its recipients can read it in their mail program."
            }
            Self::SmimeOther => "This mail is an S/MIME container. Save the original to open it.",
            Self::PgpSigned => "This mail is signed (OpenPGP). The signature was not checked.",
            Self::PgpEncrypted => {
                "This mail is encrypted (OpenPGP). Only its recipients can read it in their mail program."
            }
            Self::Tnef => {
                "This mail was sent in Outlook's rich text format (winmail.dat). Its attachments are listed here."
            }
            Self::Partial => "This mail is one piece of a larger one that was sent in several.",
            Self::ExternalBody => "A part of this mail lies elsewhere. It was not fetched.",
        }
    }

    /// Whether the text cannot be read here.
    pub fn is_closed(self) -> bool {
        matches!(
            self,
            Self::SmimeOpaqueSigned | Self::SmimeEncrypted | Self::SmimeOther | Self::PgpEncrypted
        )
    }
}

pub(super) fn list(original: &Original<'_>) -> Vec<Wrapper> {
    let parts = original.parts.iter().filter(|part| !part.embedded);
    let mut found: Vec<Wrapper> = parts.filter_map(wrapper).collect();
    found.sort();
    found.dedup();
    found
}

fn wrapper(part: &OriginalPart) -> Option<Wrapper> {
    let is_pgp = part.protocol.contains("pgp");
    match &*part.media_type {
        "multipart/signed" if is_pgp => Some(Wrapper::PgpSigned),
        "multipart/signed" => Some(Wrapper::SmimeSigned),
        "multipart/encrypted" => Some(Wrapper::PgpEncrypted),
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => Some(pkcs7(part)),
        "application/ms-tnef" | "application/vnd.ms-tnef" => Some(Wrapper::Tnef),
        "message/partial" => Some(Wrapper::Partial),
        "message/external-body" => Some(Wrapper::ExternalBody),
        _ if is_tnef_name(part) => Some(Wrapper::Tnef),
        _ => None,
    }
}

/// Whether a part is called as Outlook calls its rich text.
pub(super) fn is_tnef_name(part: &OriginalPart) -> bool {
    let name = part.name.as_deref().unwrap_or_default();
    name.eq_ignore_ascii_case("winmail.dat")
}

fn pkcs7(part: &OriginalPart) -> Wrapper {
    match &*part.smime_type {
        "signed-data" => Wrapper::SmimeOpaqueSigned,
        "enveloped-data" | "authenveloped-data" => Wrapper::SmimeEncrypted,
        _ => Wrapper::SmimeOther,
    }
}
