//! Originals bit for bit, and texts of all kinds.

use super::bench::Bench;
use super::sample::{self, Sample, original};
use crate::error::ErrorKind;
use crate::ids::StageId;
use crate::store::{Lease, Original, RowResult};
use crate::testkit::conformance::harness::{Checked, check, equal, fails};

/// Reads ranges of an original and compares each with the bytes.
async fn read_back(bench: &Bench, sample: &Sample, bytes: &[u8]) -> Checked {
    let total = bytes.len() as u64;
    let ranges = [
        0..total,
        0..u64::MAX,
        0..1,
        1..total.min(7),
        total / 3..total,
        total.saturating_sub(1)..total + 10,
        total..total + 1,
        total + 5..total + 9,
        0..0,
    ];
    let digest = sample
        .row
        .record
        .as_ref()
        .map(|record| record.identity.original_digest);
    for range in ranges.into_iter().filter(|range| range.start <= range.end) {
        let part = bench
            .store
            .original(&bench.scope, &sample.uid(), range.clone())
            .await?;
        let at = |place: u64| usize::try_from(place).map_or(bytes.len(), |at| at.min(bytes.len()));
        let expected = &bytes[at(range.start)..at(range.end)];
        check!(part.bytes == expected, "the bytes of {range:?} differ");
        equal("the size", part.total, total)?;
        equal("the digest", Some(part.digest), digest)?;
    }
    Ok(())
}

pub(super) async fn an_original_is_read_in_ranges(bench: &Bench) -> Checked {
    let sample = sample::logged(1, &["C1"]);
    bench.put(sample.row()).await?;
    read_back(bench, &sample, &original(1)).await?;
    let every: Vec<u8> = (0..=255).cycle().take(300_000).collect();
    let mut large = sample::logged(2, &["C1"]);
    large.row.original = Original::Inline(every.clone());
    bench.put(large.row()).await?;
    read_back(bench, &large, &every).await
}

pub(super) async fn an_empty_original_is_kept(bench: &Bench) -> Checked {
    let mut sample = sample::logged(1, &["C1"]);
    sample.row.original = Original::Inline(Vec::new());
    bench.put(sample.row()).await?;
    read_back(bench, &sample, &[]).await
}

pub(super) async fn an_original_that_is_not_kept_is_not_found(bench: &Bench) -> Checked {
    let sample = sample::not_matched(1);
    bench.put(sample.row()).await?;
    for uid in [sample.uid(), sample::logged(2, &[]).uid()] {
        let answer = bench.store.original(&bench.scope, &uid, 0..1).await;
        fails("the original", answer, ErrorKind::NotFound)?;
    }
    Ok(())
}

async fn stage(bench: &Bench, lease: &Lease, id: StageId, pieces: &[&[u8]]) -> Checked {
    for (index, piece) in (0..).zip(pieces) {
        let store = &bench.store;
        store
            .stage(&bench.scope, lease, id, index, piece.to_vec())
            .await?;
    }
    Ok(())
}

pub(super) async fn a_staged_original_is_read_across_its_pieces(bench: &Bench) -> Checked {
    let mut sample = sample::logged(1, &["C1"]);
    let id = StageId::from_bytes([1; 16]);
    let other = StageId::from_bytes([2; 16]);
    let large: Vec<u8> = (0..=250).cycle().take(1 << 20).collect();
    let pieces: [&[u8]; 4] = [b"first\0", &large, b"", b"\xfflast"];
    let lease = bench.lease().await?;
    stage(bench, &lease, id, &pieces[..2]).await?;
    stage(bench, &lease, other, &[b"not this"]).await?;
    for (index, piece) in (2..).zip(&pieces[2..]) {
        let store = &bench.store;
        store
            .stage(&bench.scope, &lease, id, index, piece.to_vec())
            .await?;
    }
    sample.row.original = Original::Staged(id);
    let results = bench.commit(&lease, vec![sample.row()]).await?;
    let result = &results[0];
    check!(
        matches!(result, RowResult::Written { .. }),
        "the row: {result:?}"
    );
    bench.lease().await?;
    read_back(bench, &sample, &pieces.concat()).await
}

pub(super) async fn staged_pieces_are_read_back_before_the_commit(bench: &Bench) -> Checked {
    let (id, none) = (StageId::from_bytes([1; 16]), StageId::from_bytes([2; 16]));
    let lease = bench.lease().await?;
    stage(bench, &lease, id, &[b"first", b"", b"second"]).await?;
    let (store, scope) = (&bench.store, &bench.scope);
    let whole = store.staged(scope, &lease, id, 11).await?;
    equal("the pieces", whole.as_deref(), Some(&b"firstsecond"[..]))?;
    equal(
        "more than the limit",
        store.staged(scope, &lease, id, 10).await?,
        None,
    )?;
    fails(
        "nothing staged",
        store.staged(scope, &lease, none, 10).await,
        ErrorKind::NotFound,
    )?;
    bench.lease().await?;
    let stale = store.staged(scope, &lease, id, 11).await;
    fails("a stale lease", stale, ErrorKind::LeaseLost).map(|_| ())
}

pub(super) async fn staged_pieces_that_no_commit_linked_are_swept(bench: &Bench) -> Checked {
    let id = StageId::from_bytes([1; 16]);
    let lease = bench.lease().await?;
    stage(bench, &lease, id, &[b"left behind"]).await?;
    let mut sample = sample::logged(1, &["C1"]);
    sample.row.original = Original::Staged(id);
    let result = bench.put(sample.row()).await?;
    check!(
        matches!(result, RowResult::Rejected(_)),
        "pieces of an earlier lease were linked: {result:?}"
    );
    equal("rows", bench.counts().await?, [0; 4])
}

pub(super) async fn odd_texts_are_kept(bench: &Bench) -> Checked {
    let long = "\u{1f4e7} long ".repeat(20_000);
    let texts = [
        "",
        " \t ",
        "\u{65e5}\u{672c}\u{8a9e} \u{1f469}\u{200d}\u{1f4bb} \u{202e}\u{e9}e\u{301}",
        "Robert'); DROP TABLE entry;-- \" % _ \\ \r\n",
        "before\0after\0",
        &long,
    ];
    for (number, text) in (1..).zip(texts) {
        let sample = sample::logged(number, &["C1"])
            .change_record(|record| {
                text.clone_into(&mut record.subject);
                record.participants[0].name = Some(text.to_owned());
            })
            .change_entries(|entry| {
                text.clone_into(&mut entry.description);
                text.clone_into(&mut entry.contact_name);
                entry.fields.insert("note".into(), text.into());
            });
        bench.put_all(std::slice::from_ref(&sample)).await?;
        let mail = bench.store.mail(&bench.scope, &sample.uid()).await?;
        let expected = text.replace('\0', "\u{fffd}");
        let entry = &mail.entries[0].entry;
        let name = mail.record.participants[0].name.as_ref();
        let field = entry.fields.get("note");
        check!(
            mail.record.subject == expected,
            "the subject of text {number} differs"
        );
        check!(name == Some(&expected), "the name of text {number} differs");
        check!(
            entry.description == expected,
            "the description of text {number} differs"
        );
        check!(
            entry.contact_name == expected,
            "the contact's name of text {number} differs"
        );
        check!(
            field == Some(&expected),
            "the field of text {number} differs"
        );
    }
    Ok(())
}

pub(super) async fn a_piece_out_of_order_is_refused(bench: &Bench) -> Checked {
    let id = StageId::from_bytes([1; 16]);
    let lease = bench.lease().await?;
    let (store, scope) = (&bench.store, &bench.scope);
    let early = store.stage(scope, &lease, id, 1, vec![1]).await;
    fails("a second piece without a first", early, ErrorKind::Conflict)?;
    stage(bench, &lease, id, &[b"one", b"two"]).await?;
    for index in [0, 3] {
        let piece = store.stage(scope, &lease, id, index, vec![1]).await;
        fails("a piece out of order", piece, ErrorKind::Conflict)?;
    }
    let whole = store.staged(scope, &lease, id, 100).await?;
    equal("the pieces", whole.as_deref(), Some(&b"onetwo"[..]))
}

pub(super) async fn a_mail_without_an_original_is_not_to_be_indexed(bench: &Bench) -> Checked {
    let sample = sample::not_matched(1);
    bench.put(sample.row()).await?;
    bench.put(sample.other_copy(2).row()).await?;
    let open = bench.store.unindexed(&bench.scope, 9).await?;
    equal("messages to be indexed", open, Vec::new())
}
