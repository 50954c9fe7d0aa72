//! The accepting side of NTLM: NTLMv2 only, bound to a connection and, if asked for, to its TLS channel.
//!
//! Follows MS-NLMP and shares no code with the client's side, so that neither agrees with itself by mistake.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use base64_simd::STANDARD;
use hmac::{Hmac, Mac};
use md4::{Digest, Md4};
use md5::Md5;
use secrecy::ExposeSecret;
use sha2::Sha256;

use super::{AuthScheme, Authenticator, Users, Verdict};
use crate::testkit::exchange::lock;

const MAGIC: [u8; 8] = *b"NTLMSSP\0";
const NETBIOS_DOMAIN: &str = "SIMULATED";
const NETBIOS_COMPUTER: &str = "EXCHANGE";

/// 2026-01-05T08:00:00Z as a file time; its presence makes clients send an integrity code.
const TIME: u64 = 134_120_736_000_000_000;

/// UNICODE, REQUEST_TARGET, NTLM, ALWAYS_SIGN, TARGET_TYPE_DOMAIN, EXTENDED_SESSIONSECURITY, TARGET_INFO.
const OFFERED: u32 = 0x0089_8205;
/// VERSION, 128 and 56 bit keys, which are agreed to where the client asks.
const AGREED: u32 = 0xa200_0000;
/// Version 10.0 of Windows, which is Windows Server 2019's, with NTLMSSP_REVISION_W2K3.
const SERVER_VERSION: [u8; 8] = [10, 0, 0x63, 0x45, 0, 0, 0, 15];

/// What the certificate of a server means for a sign-in that is bound to its channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChannelHash([u8; 16]);

impl ChannelHash {
    /// The hash for a certificate that was signed with SHA-256 (RFC 5929, 4.1).
    pub(crate) fn of(certificate: &[u8]) -> Self {
        let mut data = b"tls-server-end-point:".to_vec();
        data.extend(Sha256::digest(certificate));
        let mut bindings = [0; 20];
        bindings[16] = u8::try_from(data.len()).unwrap_or_default();
        let digest = Md5::new().chain_update(bindings).chain_update(data);
        Self(digest.finalize().into())
    }
}

/// One scheme name under which NTLM is accepted.
pub(super) struct Ntlm {
    scheme: AuthScheme,
    users: Arc<Users>,
    /// The channel that clients must have bound; none where it is not looked at.
    channel: Option<ChannelHash>,
    states: Mutex<States>,
}

#[derive(Default)]
struct States {
    challenges: u64,
    by_connection: BTreeMap<u64, State>,
}

/// How far a connection is.
#[derive(Clone)]
enum State {
    Challenged {
        random: [u8; 8],
        first: Vec<u8>,
        second: Vec<u8>,
    },
    SignedIn(String),
}

impl Ntlm {
    pub(super) fn new(scheme: AuthScheme, users: Arc<Users>, channel: Option<ChannelHash>) -> Self {
        Self {
            scheme,
            users,
            channel,
            states: Mutex::default(),
        }
    }

    fn challenge(&self, first: &[u8], connection: u64) -> Verdict {
        let asked = first.get(12..16).and_then(|bytes| bytes.try_into().ok());
        let asked = asked.map_or(0, u32::from_le_bytes);
        let mut states = lock(&self.states);
        states.challenges += 1;
        // Runs must be equal, so the challenges are numbered; no two are the same.
        let digest = Md5::digest(states.challenges.to_be_bytes());
        let mut random = [0; 8];
        random.copy_from_slice(&digest[..8]);
        let second = challenge_message(OFFERED | asked & AGREED, random);
        let verdict = Verdict::Challenged {
            scheme: self.scheme,
            token: STANDARD.encode_to_string(&second),
        };
        let state = State::Challenged {
            random,
            first: first.to_vec(),
            second,
        };
        states.by_connection.insert(connection, state);
        verdict
    }

    /// Judges the last message; whatever the verdict, its challenge is used up.
    fn judge(&self, third: &[u8], connection: u64) -> Verdict {
        let state = lock(&self.states).by_connection.remove(&connection);
        let Some(State::Challenged {
            random,
            first,
            second,
        }) = state
        else {
            return Verdict::Refused;
        };
        match Answer::read(third).and_then(|answer| self.verify(&answer, random, [&first, &second]))
        {
            Some(user) => {
                let signed_in = State::SignedIn(user.clone());
                lock(&self.states)
                    .by_connection
                    .insert(connection, signed_in);
                Verdict::Accepted { user }
            }
            None => Verdict::Refused,
        }
    }

    fn verify(
        &self,
        answer: &Answer<'_>,
        random: [u8; 8],
        earlier: [&Vec<u8>; 2],
    ) -> Option<String> {
        let name = match &*answer.domain {
            "" => answer.user.clone(),
            domain => format!(r"{domain}\{}", answer.user),
        };
        let password = self.users.password(&name)?;
        let (proof, blob) = answer.response.split_at_checked(16)?;
        // Eight fixed bytes, eight of time and of the client each, four that are reserved; NTLMv1 has no blob.
        let attributes = Attributes::read(blob.get(28..)?)?;
        let secret = Md4::digest(utf16(password.expose_secret()));
        let identity = format!("{}{}", answer.user.to_uppercase(), answer.domain);
        let key = hmac_md5(&secret, &[&utf16(&identity)]);
        if hmac_md5(&key, &[&random, blob]) != *proof {
            return None;
        }
        if self
            .channel
            .is_some_and(|channel| attributes.channel != Some(channel.0))
        {
            return None;
        }
        if attributes.has_integrity_code {
            let session = hmac_md5(&key, &[proof]);
            let expected = hmac_md5(&session, &[earlier[0], earlier[1], &answer.unsigned()]);
            if answer.message.get(72..88)? != expected {
                return None;
            }
        }
        Some(name)
    }
}

impl Authenticator for Ntlm {
    fn scheme(&self) -> AuthScheme {
        self.scheme
    }

    fn check(&self, credentials: &str, connection: u64) -> Verdict {
        let Ok(message) = STANDARD.decode_to_vec(credentials) else {
            return Verdict::Refused;
        };
        match (message.starts_with(&MAGIC), message.get(8)) {
            (true, Some(1)) => self.challenge(&message, connection),
            (true, Some(3)) => self.judge(&message, connection),
            _ => Verdict::Refused,
        }
    }

    fn signed_in(&self, connection: u64) -> Option<String> {
        match lock(&self.states).by_connection.get(&connection) {
            Some(State::SignedIn(user)) => Some(user.clone()),
            _ => None,
        }
    }

    fn forget(&self, connection: u64) {
        lock(&self.states).by_connection.remove(&connection);
    }
}

fn challenge_message(flags: u32, random: [u8; 8]) -> Vec<u8> {
    let domain = utf16(NETBIOS_DOMAIN);
    let mut info = Vec::new();
    let pairs: [(u8, Vec<u8>); 3] = [
        (2, domain.clone()),
        (1, utf16(NETBIOS_COMPUTER)),
        (7, TIME.to_le_bytes().to_vec()),
    ];
    for (id, value) in pairs {
        info.extend([id, 0, low_byte(value.len()), 0]);
        info.extend(value);
    }
    info.extend([0; 4]);
    let mut message = MAGIC.to_vec();
    message.extend([2, 0, 0, 0]);
    message.extend([
        low_byte(domain.len()),
        0,
        low_byte(domain.len()),
        0,
        56,
        0,
        0,
        0,
    ]);
    message.extend(flags.to_le_bytes());
    message.extend(random);
    message.extend([0; 8]);
    let start = low_byte(56 + domain.len());
    message.extend([
        low_byte(info.len()),
        0,
        low_byte(info.len()),
        0,
        start,
        0,
        0,
        0,
    ]);
    message.extend(SERVER_VERSION);
    message.extend(domain);
    message.extend(info);
    message
}

/// The fields above are all shorter than 256 bytes.
fn low_byte(length: usize) -> u8 {
    u8::try_from(length).unwrap_or(u8::MAX)
}

/// A client's last message.
struct Answer<'a> {
    message: &'a [u8],
    response: &'a [u8],
    domain: String,
    user: String,
}

impl<'a> Answer<'a> {
    fn read(message: &'a [u8]) -> Option<Self> {
        let text = |at| {
            let units = field(message, at)?.chunks_exact(2);
            let units: Vec<_> = units
                .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
                .collect();
            String::from_utf16(&units).ok()
        };
        Some(Self {
            message,
            response: field(message, 20)?,
            domain: text(28)?,
            user: text(36)?,
        })
    }

    /// The message as it was before its integrity code was written into it.
    fn unsigned(&self) -> Vec<u8> {
        let mut message = self.message.to_vec();
        if let Some(code) = message.get_mut(72..88) {
            code.fill(0);
        }
        message
    }
}

fn field(message: &[u8], at: usize) -> Option<&[u8]> {
    let [l0, l1, _, _, o0, o1, o2, o3] = *message.get(at..)?.first_chunk()?;
    let start = usize::try_from(u32::from_le_bytes([o0, o1, o2, o3])).ok()?;
    let length = usize::from(u16::from_le_bytes([l0, l1]));
    message.get(start..start.checked_add(length)?)
}

/// What the client put into its response besides the proof.
#[derive(Default)]
struct Attributes {
    has_integrity_code: bool,
    channel: Option<[u8; 16]>,
}

impl Attributes {
    fn read(mut bytes: &[u8]) -> Option<Self> {
        let mut attributes = Self::default();
        loop {
            let ([id, _, low, high], rest) = bytes.split_first_chunk()?;
            let length = usize::from(u16::from_le_bytes([*low, *high]));
            let (value, rest) = rest.split_at_checked(length)?;
            match id {
                0 => return Some(attributes),
                6 => attributes.has_integrity_code = value.first()? & 2 != 0,
                10 => attributes.channel = value.try_into().ok(),
                _ => {}
            }
            bytes = rest;
        }
    }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn hmac_md5(key: &[u8], parts: &[&[u8]]) -> [u8; 16] {
    let mut block = [0; 64];
    block.iter_mut().zip(key).for_each(|(to, from)| *to = *from);
    let mut mac = Hmac::<Md5>::new(&block.into());
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
