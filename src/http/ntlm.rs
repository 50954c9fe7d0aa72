//! NTLMv2 over HTTP, on connections of its own.
//!
//! Owns the three messages (MS-NLMP), the channel binding (RFC 5929) and the connections that a sign-in belongs to
//! (MS-NTHT; RFC 4559 for the header). LM and NTLMv1 answers are never made. Knows nothing of SOAP.

mod authenticate;
mod av_pairs;
mod binding;
mod challenge;
mod client;
mod connection;
mod identity;
mod negotiate;
mod pool;
mod proof;
mod request;

pub(super) use client::{NtlmClient, NtlmScheme};

/// The first bytes of every message.
const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";

/// What is asked for (MS-NLMP 2.2.2.5): no signing, no sealing and no key exchange, since TLS protects what follows.
const REQUESTED: u32 = UNICODE
    | REQUEST_TARGET
    | NTLM
    | ALWAYS_SIGN
    | EXTENDED_SESSION_SECURITY
    | TARGET_INFO
    | VERSION
    | KEY_128
    | KEY_56;

const UNICODE: u32 = 0x0000_0001;
const REQUEST_TARGET: u32 = 0x0000_0004;
const NTLM: u32 = 0x0000_0200;
const ALWAYS_SIGN: u32 = 0x0000_8000;
const EXTENDED_SESSION_SECURITY: u32 = 0x0008_0000;
const TARGET_INFO: u32 = 0x0080_0000;
const VERSION: u32 = 0x0200_0000;
const KEY_128: u32 = 0x2000_0000;
const KEY_56: u32 = 0x8000_0000;

/// Version 10.0 with NTLMSSP_REVISION_W2K3 (MS-NLMP 2.2.2.10); servers keep it for their logs.
const VERSION_BYTES: [u8; 8] = [10, 0, 0, 0, 0, 0, 0, 15];

/// Why a challenge cannot be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
struct Malformed(&'static str);

/// The target information that goes back for a challenge, for tests.
#[cfg(feature = "testkit")]
pub(crate) fn ntlm_target_info(challenge: &[u8]) -> Option<Vec<u8>> {
    let challenge = challenge::Challenge::parse(challenge).ok()?;
    challenge.target_info.timestamp().ok()?;
    let answered = challenge.target_info.answered(Some([7; 16]), "HTTP/host");
    answered.ok()?.to_bytes().ok()
}

/// Text as the messages hold it.
fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}
