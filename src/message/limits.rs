//! How much of a mail is looked at. Bytes beyond a limit are kept in the original, never cut from
//! it.

/// The limits of reading one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(default, rename_all = "kebab-case", deny_unknown_fields)
)]
#[non_exhaustive]
pub struct MessageLimits {
    /// Bytes of one mail; default 150 MiB, the largest that Exchange Online delivers.
    pub message_bytes: u64,
    /// Bytes of the header block; default 1 MiB.
    pub header_block_bytes: usize,
    /// Bytes of one header; default 100 KiB.
    pub header_bytes: usize,
    /// Number of headers; default 2,000.
    pub headers: usize,
    /// Distinct addresses; default 10,000. A mail with more is quarantined.
    pub addresses: usize,
    /// Depth of nested parts; default 100.
    pub part_depth: usize,
    /// Number of parts; default 10,000.
    pub parts: usize,
    /// `Received` headers before a loop is suspected; default 50.
    pub received_hops: usize,
    /// Bytes of a journal report that is unwrapped in memory; default 4 MiB.
    pub journal_bytes: usize,
    /// Bytes of body text that are indexed for search; default 1 MiB.
    pub indexed_text_bytes: usize,
}

impl Default for MessageLimits {
    fn default() -> Self {
        Self {
            message_bytes: 150 << 20,
            header_block_bytes: 1 << 20,
            header_bytes: 100 << 10,
            headers: 2_000,
            addresses: 10_000,
            part_depth: 100,
            parts: 10_000,
            received_hops: 50,
            journal_bytes: 4 << 20,
            indexed_text_bytes: 1 << 20,
        }
    }
}
