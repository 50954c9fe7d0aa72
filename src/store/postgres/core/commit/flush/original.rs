//! Originals of a commit and their pieces as statements.

use super::super::changes::Changes;
use super::{all, each, made};
use crate::store::postgres::core::many::{Kind, Many};
use crate::store::postgres::core::original::PIECES;
use crate::store::postgres::fault::Done;
use crate::store::postgres::options::PIECE_BYTES;
use crate::store::postgres::pool::{Value, Write};
use crate::store::postgres::values::uuid;
use crate::store::rows::signed;

impl Changes<'_> {
    /// Id, offset and bytes of the pieces of the originals that come whole.
    pub(super) fn pieces(&self) -> Vec<(i64, i64, &[u8])> {
        let pieces = self.originals.iter().flat_map(|original| {
            let chunks = (0_i64..).zip(original.bytes.chunks(PIECE_BYTES));
            chunks.map(|(index, piece)| {
                let bytes = i64::try_from(PIECE_BYTES).unwrap_or(i64::MAX);
                (original.no * PIECES + index, index * bytes, piece)
            })
        });
        pieces.collect()
    }

    pub(super) fn add_originals<'w>(
        &'w self,
        writes: &mut Vec<Write<'w>>,
        pieces: &'w [(i64, i64, &'w [u8])],
    ) -> Done<()> {
        let rows = &self.originals;
        let count = |count: usize| -> Done<i64> { Ok(signed(count as u64)?) };
        if !rows.is_empty() {
            let many = Many::default()
                .with("no", Kind::Number, all(rows, |row| row.no))
                .with("scope", Kind::Number, each(rows, self.fenced.scope))
                .with("message_no", Kind::Number, all(rows, |row| row.message_no))
                .with(
                    "size",
                    Kind::Number,
                    made(rows, |row| count(row.bytes.len()))?,
                )
                .with(
                    "pieces",
                    Kind::Number,
                    made(rows, |row| count(row.bytes.len().div_ceil(PIECE_BYTES)))?,
                )
                .with(
                    "digest",
                    Kind::Bytes,
                    all(rows, |row| row.digest.as_bytes().as_slice()),
                );
            writes.push(many.insert("original", ""));
        }
        if !pieces.is_empty() {
            let many = Many::default()
                .with("id", Kind::Number, all(pieces, |piece| piece.0))
                .with("start", Kind::Number, all(pieces, |piece| piece.1))
                .with(
                    "size",
                    Kind::Number,
                    made(pieces, |piece| count(piece.2.len()))?,
                )
                .with("bytes", Kind::Bytes, all(pieces, |piece| piece.2));
            writes.push(many.insert("original_chunk", ""));
        }
        for (stage, message_no, digest) in &self.linked {
            let sql =
                "UPDATE original SET message_no = $3, digest = $4, stage = NULL, mailbox = NULL
                WHERE mailbox = $1 AND stage = $2";
            let values: Vec<Value<'_>> = vec![
                Box::new(self.fenced.mailbox),
                Box::new(uuid(stage.as_bytes())),
                Box::new(*message_no),
                Box::new(digest.as_bytes().as_slice()),
            ];
            writes.push(Write::new(sql, values));
        }
        Ok(())
    }
}
