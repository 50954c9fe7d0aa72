//! Fetching originals into a sink.

use super::bench::{Bench, mail, supported};
use super::recorder::{Recorder, Refuses};
use crate::error::ErrorKind;
use crate::testkit::conformance::harness::{Checked, check, equal, fails};

pub(super) async fn originals_are_fetched_bit_for_bit(bench: &Bench) -> Checked {
    let mut every: Vec<u8> = mail(1);
    every.extend((0..=255).cycle().take(70_001));
    let originals = [mail(2), every, b"Subject: header only\r\n\r\n".to_vec()];
    for original in &originals {
        supported(bench.fixture.deliver(original.clone()).await)?;
    }
    let (queue, items) = bench.listed().await?;
    let fetched = bench.fetch(&queue, &items).await?;
    equal("mails", fetched.len(), originals.len())?;
    for (original, fetched) in originals.iter().zip(&fetched) {
        check!(
            fetched.is(original),
            "mail {} differs: {} of {} bytes, {:?}",
            fetched.index,
            fetched.bytes.len(),
            original.len(),
            fetched.ended
        );
    }
    Ok(())
}

pub(super) async fn an_empty_mail_is_fetched(bench: &Bench) -> Checked {
    supported(bench.fixture.deliver(Vec::new()).await)?;
    let (queue, items) = bench.listed().await?;
    let fetched = bench.fetch(&queue, &items).await?;
    equal("answers", fetched.len(), 1)?;
    check!(fetched[0].is(b""), "an empty mail: {:?}", fetched[0]);
    Ok(())
}

pub(super) async fn a_large_mail_comes_in_several_chunks(bench: &Bench) -> Checked {
    let mut large = mail(1);
    large.extend(b"0123456789abcdef ".iter().cycle().take(3 << 20));
    supported(bench.fixture.deliver(large.clone()).await)?;
    let (queue, items) = bench.listed().await?;
    let fetched = bench.fetch(&queue, &items).await?;
    check!(
        fetched[0].is(&large),
        "the bytes differ: {} of {}",
        fetched[0].bytes.len(),
        large.len()
    );
    check!(fetched[0].chunks > 1, "3 MiB came in one chunk");
    Ok(())
}

pub(super) async fn answers_come_in_the_order_of_the_question(bench: &Bench) -> Checked {
    let (queue, mut items) = bench.delivered(&[1, 2, 3, 4]).await?;
    items.reverse();
    items.swap(1, 2);
    let fetched = bench.fetch(&queue, &items).await?;
    for (number, fetched) in [4, 2, 3, 1].into_iter().zip(&fetched) {
        check!(
            fetched.is(&mail(number)),
            "mail {number} is not at its place"
        );
    }
    Ok(())
}

pub(super) async fn an_item_that_is_gone_is_its_own_answer(bench: &Bench) -> Checked {
    let (queue, items) = bench.delivered(&[1, 2, 3]).await?;
    supported(bench.fixture.take_away(&items[1].item).await)?;
    let fetched = bench.fetch(&queue, &items).await?;
    check!(
        fetched[0].is(&mail(1)),
        "the mail before it: {:?}",
        fetched[0].ended
    );
    check!(
        fetched[1].is_gone(),
        "the gone mail: {:?}",
        fetched[1].ended
    );
    check!(
        fetched[2].is(&mail(3)),
        "the mail after it: {:?}",
        fetched[2].ended
    );
    Ok(())
}

pub(super) async fn an_error_of_the_sink_ends_the_fetch(bench: &Bench) -> Checked {
    let (queue, items) = bench.delivered(&[1, 2, 3]).await?;
    for at in [Refuses::Chunk, Refuses::End] {
        let mut recorder = Recorder::refusing(at);
        let answer = bench.source.fetch(&queue, &items, &mut recorder).await;
        let error = fails("the fetch", answer, ErrorKind::Unavailable)?;
        equal("the sink's own code", error.code(), "sink.failed")?;
        recorder.in_order()?;
        check!(recorder.refused, "the sink was not asked");
        equal("items that were begun", recorder.items.len(), 1)?;
    }
    let fetched = bench.fetch(&queue, &items).await?;
    check!(
        fetched[2].is(&mail(3)),
        "a fetch after it: {:?}",
        fetched[2].ended
    );
    Ok(())
}

pub(super) async fn an_empty_question_has_no_answer(bench: &Bench) -> Checked {
    let queue = bench.queue().await?;
    let storage = bench.storage().await?;
    equal("fetched", bench.fetch(&queue, &[]).await?.len(), 0)?;
    equal(
        "moved",
        bench.move_to(&queue, &[], &storage).await?.len(),
        0,
    )?;
    if bench.source.capabilities().locate {
        equal("located", bench.locate(&queue, &[]).await?.len(), 0)?;
    }
    Ok(())
}

pub(super) async fn reading_changes_nothing(bench: &Bench) -> Checked {
    let (queue, items) = bench.delivered(&[1, 2]).await?;
    bench.fetch(&queue, &items).await?;
    let (_, again) = bench.listed().await?;
    let ids = |items: &[crate::source::ListedItem]| -> Vec<String> {
        items.iter().map(|item| item.item.id.clone()).collect()
    };
    equal("the items", ids(&again), ids(&items))?;
    bench
        .holds("the queue", bench.fixture.queue(), &[1, 2])
        .await?;
    bench
        .holds("the storage folder", bench.fixture.storage(), &[])
        .await
}
