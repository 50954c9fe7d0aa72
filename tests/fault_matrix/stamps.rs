//! Mail without a key: what happens where giving it one of our own fails.

use email_logging::ErrorKind;
use email_logging::error::codes;
use email_logging::logger::RunSettings;
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::source::{MailSource as _, MemorySource, SightingKey, SourceCapabilities};

use crate::office::{Office, error, queue, storage};

fn stamping(source: MemorySource) -> MemorySource {
    let mut capabilities = SourceCapabilities::default();
    (capabilities.stable_keys, capabilities.stamps) = (false, true);
    source.with_capabilities(capabilities)
}

async fn office(mails: u32) -> Office {
    let office = Office::new().await.with_source(stamping);
    office.deliver_numbers(0..mails);
    office
}

fn stamps(office: &Office) -> usize {
    let items = office.source.items(&storage()).into_iter();
    items
        .filter(|item| matches!(item.key, SightingKey::Stamp(_)))
        .count()
}

#[tokio::test]
async fn a_stamp_that_fails_in_any_way_is_healed_by_the_next_run() {
    let faults: [fn() -> SourceFault; 5] = [
        || SourceFault::Error(error(&codes::HTTP_TIMEOUT)),
        || SourceFault::LostReply(error(&codes::HTTP_TIMEOUT)),
        || SourceFault::Partial(2, error(&codes::HTTP_TIMEOUT)),
        || SourceFault::Error(error(&codes::EWS_THROTTLED)),
        || SourceFault::LostReply(error(&codes::EWS_UNAVAILABLE)),
    ];
    for fault in faults {
        let office = office(4).await;
        office.source.fail_next(SourceOperation::Stamp, fault());
        // Nor can any of them be stamped alone, where that is tried.
        let last = match fault() {
            SourceFault::Error(error) if error.kind() == ErrorKind::Throttled => 1,
            _ => 5,
        };
        for nth in 2..=last {
            let fails = SourceFault::Error(error(&codes::HTTP_TIMEOUT));
            office.source.fail_call(SourceOperation::Stamp, nth, fails);
        }
        let first = office.run().await.unwrap_err();
        assert_eq!(
            (first.report.logged, office.places()),
            (0, [4, 0, 0]),
            "{:?}",
            fault()
        );
        assert_eq!(office.run().await.unwrap().logged, 4);
        office.assert_offers(4).await;
        assert_eq!(stamps(&office), 4);
    }
}

#[tokio::test]
async fn a_stamp_of_many_that_fails_once_is_set_item_by_item_in_the_same_run() {
    let faults: [fn() -> SourceFault; 3] = [
        || SourceFault::Error(error(&codes::HTTP_TIMEOUT)),
        || SourceFault::LostReply(error(&codes::EWS_UNAVAILABLE)),
        || SourceFault::Partial(2, error(&codes::HTTP_TIMEOUT)),
    ];
    for fault in faults {
        let office = office(4).await;
        office.source.fail_next(SourceOperation::Stamp, fault());
        assert_eq!(office.run().await.unwrap().logged, 4, "{:?}", fault());
        office.assert_offers(4).await;
        assert_eq!(stamps(&office), 4);
    }
}

#[tokio::test]
async fn a_refused_sign_in_at_a_stamp_ends_the_run_and_nothing_more_is_asked() {
    for code in [&codes::HTTP_UNAUTHORIZED, &codes::OAUTH_REAUTH] {
        let office = office(4).await;
        let refused = SourceFault::Error(error(code));
        office.source.fail_next(SourceOperation::Stamp, refused);
        let first = office.run().await.unwrap_err();
        assert_eq!(first.error.code(), code.code);
        assert_eq!(office.places(), [4, 0, 0]);
        assert_eq!(office.source.count(SourceOperation::Fetch), 0);
        assert_eq!(office.run().await.unwrap().logged, 4);
        assert_eq!(stamps(&office), 4);
    }
}

#[tokio::test]
async fn an_item_that_cannot_be_stamped_is_logged_by_its_content() {
    let lasting = || error(&codes::EWS_ACCESS_DENIED);
    let faults: [(fn() -> SourceFault, usize); 3] = [
        (
            || SourceFault::ItemFailed(1, error(&codes::EWS_ACCESS_DENIED)),
            2,
        ),
        (|| SourceFault::ItemGone(0), 2),
        (|| SourceFault::Error(error(&codes::EWS_ACCESS_DENIED)), 0),
    ];
    assert!(!lasting().is_transient());
    for (fault, stamped) in faults {
        let office = office(3).await;
        office.source.fail_next(SourceOperation::Stamp, fault());
        assert_eq!(office.run().await.unwrap().logged, 3, "{:?}", fault());
        office.assert_offers(3).await;
        assert_eq!(stamps(&office), stamped, "{:?}", fault());
    }
}

#[tokio::test]
async fn an_item_that_is_listed_once_more_while_it_is_under_way_is_not_stamped_anew() {
    let pages_of_two = |source: MemorySource| {
        let mut capabilities = stamping(MemorySource::new()).capabilities();
        capabilities.list_page = 2;
        source.with_capabilities(capabilities)
    };
    let office = Office::new().await.with_source(pages_of_two);
    office.deliver_numbers(0..6);
    let refused = SourceFault::ItemFailed(0, error(&codes::EWS_ACCESS_DENIED));
    office.source.fail_call(SourceOperation::Stamp, 2, refused);
    let mut settings = RunSettings::default();
    (settings.connections, settings.fetch_batch) = (1, 2);
    let logger = office.builder().with_settings(settings).build().unwrap();
    assert_eq!(logger.run_once().await.unwrap().moved, 6);
    office.assert_offers(6).await;
    assert_eq!(stamps(&office), 5);
}

#[tokio::test]
async fn a_copy_of_a_stamped_mail_makes_no_entry() {
    let office = office(2).await;
    assert_eq!(office.run().await.unwrap().logged, 2);
    let item = office.source.items(&storage()).remove(0).item;
    office.source.copy_by_hand(&item, &queue()).unwrap();
    let again = office.run().await.unwrap();
    assert_eq!((again.logged, again.entries), (0, 0), "{again:?}");
    assert_eq!(office.places(), [0, 3, 0]);
    assert_eq!(office.source.count(SourceOperation::Stamp), 1);
    office.assert_offers(2).await;
}

#[tokio::test]
async fn after_a_lost_reply_the_move_is_looked_for_by_the_stamp() {
    let office = office(2).await;
    let lost = SourceFault::LostReply(error(&codes::HTTP_TIMEOUT));
    office.source.fail_next(SourceOperation::MoveTo, lost);
    office.run().await.unwrap_err();
    let moves = office.source.count(SourceOperation::MoveTo);
    office.run().await.unwrap();
    assert!(office.source.count(SourceOperation::Locate) > 0);
    assert_eq!(
        office.source.count(SourceOperation::MoveTo),
        moves,
        "nothing moved again"
    );
    office.assert_offers(2).await;
}
