//! The identity of a mail's content.
//!
//! Trace headers (`Received` and the like) differ between two copies of one mail, so identity is
//! not the hash of all bytes. Each byte is hashed once: header block and body have a hash each, and
//! the digests are made of those.

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 32]);

        impl $name {
            /// The digest with these bytes.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes, as they stand in a store.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The digest as 64 hexadecimal digits.
            pub fn to_hex(&self) -> String {
                blake3::Hash::from_bytes(self.0).to_hex().to_string()
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.to_hex())
            }
        }
    };
}

digest! {
    /// Equal for two copies of one mail whose bytes differ only in headers that transport adds or
    /// folds anew.
    ///
    /// It is the BLAKE3 of this: for each of From, To, Cc, Date, Subject and Message-ID, in this
    /// order, the number of fields with that name in any case (64 bits, little-endian), and for each
    /// of them, in their order, the number of bytes (64 bits, little-endian) and the bytes of its raw
    /// value, trimmed, with each run of space, tab, CR and LF as one space; then the 32 bytes of the
    /// BLAKE3 of the body, which is all behind the first empty line. Nothing is decoded. Of a journal
    /// report it is the key of the mail inside.
    FastKey
}
digest! {
    /// The hash of the original as it was delivered, bit for bit: BLAKE3 over the hash of the
    /// header block and the hash of the rest.
    OriginalDigest
}
digest! {
    /// Equal for two renderings of one mail: BLAKE3 of the decoded fields and parts. It is computed
    /// only when a Message-ID is met again with another [`FastKey`].
    CanonicalDigest
}

/// What identifies a mail by its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ContentIdentity {
    /// The key that two copies share.
    pub fast_key: FastKey,
    /// The hash of this copy's bytes.
    pub original_digest: OriginalDigest,
    /// The number of bytes of this copy.
    pub size: u64,
}
