//! Mail that the server has no search key for: it gets a key of our own, and is known by it after every kind of move.

use email_logging::source::ews::EwsSource;
use email_logging::source::{
    FolderPath, ItemRef, ListRequest, MailSource as _, SightingKey, Stamped,
};
use email_logging::testkit::exchange::{Delivery, Fault, FaultKind, FolderRights, Operation};

use crate::setting::{QUEUE, STORAGE, Setting, numbered};

fn deliver(setting: &Setting, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let delivery = Delivery::new(numbered(number, "text")).without_search_key();
        setting.exchange.deliver_with(QUEUE, delivery).unwrap();
    }
}

fn stamping(setting: &Setting) -> EwsSource {
    let builder = setting.source_builder().with_repeats(0);
    builder.with_stamps(true).build().unwrap()
}

fn updates(setting: &Setting) -> usize {
    let calls = setting.exchange.recorded();
    calls
        .iter()
        .filter(|call| call.operation == Some(Operation::UpdateItem))
        .count()
}

async fn setting() -> Setting {
    Setting::with(|builder| builder.with_recording(true)).await
}

async fn keys(source: &EwsSource, path: &str) -> Vec<(ItemRef, Option<SightingKey>)> {
    let path: FolderPath = path.parse().unwrap();
    let folder = source.open_folder(&path.into()).await.unwrap();
    let listing = source
        .list(&folder, ListRequest::new(0, 100))
        .await
        .unwrap();
    listing
        .items
        .into_iter()
        .map(|row| (row.item, row.key))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stamp_survives_the_move_and_leaves_the_read_state() {
    let setting = setting().await;
    deliver(&setting, 0..3);
    let before = setting.exchange.items(QUEUE).unwrap();
    let source = stamping(&setting);
    let logger = setting.builder_on(source.clone()).build().unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.logged, report.moved), (3, 3), "{report:?}");
    assert_eq!(updates(&setting), 1, "one request for all");
    let found = keys(&source, STORAGE).await;
    assert!(
        found
            .iter()
            .all(|(_, key)| matches!(key, Some(SightingKey::Stamp(_)))),
        "{found:?}"
    );
    let after = setting.exchange.items(STORAGE).unwrap();
    let read = |items: &[email_logging::testkit::exchange::SimulatedItem]| {
        items.iter().map(|item| item.is_read).collect::<Vec<_>>()
    };
    assert_eq!(read(&before), read(&after));
    let folder: FolderPath = STORAGE.parse().unwrap();
    let folder = source.open_folder(&folder.into()).await.unwrap();
    for (item, key) in found {
        let other = SightingKey::SearchKey(vec![9; 16]);
        let located = source
            .locate(&folder, &[other.into(), key.unwrap().into()])
            .await
            .unwrap();
        let ids: Vec<Vec<&str>> = located
            .iter()
            .map(|refs| refs.iter().map(|one| one.id.as_str()).collect())
            .collect();
        assert_eq!(ids, [vec![], vec![item.id.as_str()]]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_with_a_search_key_is_never_changed_nor_is_any_without_the_option() {
    let setting = setting().await;
    setting.deliver_numbers(0..2, 100);
    let logger = setting.builder_on(stamping(&setting)).build().unwrap();
    assert_eq!(logger.run_once().await.unwrap().moved, 2);
    deliver(&setting, 5..7);
    let plain = setting.builder().build().unwrap();
    assert_eq!(plain.run_once().await.unwrap().moved, 2);
    assert_eq!(updates(&setting), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dry_run_stamps_nothing() {
    let setting = setting().await;
    deliver(&setting, 0..2);
    let logger = setting.builder_on(stamping(&setting)).build().unwrap();
    assert_eq!(logger.dry_run().await.unwrap().report.logged, 2);
    assert_eq!(updates(&setting), 0);
}

/// Every step that may break, in each way: nothing lost, nothing twice, and no second copy. A stamp whose answer is lost is set
/// again by the same run.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_search_key_every_lost_call_is_healed() {
    let operations = [
        Operation::FindItem,
        Operation::UpdateItem,
        Operation::GetItem,
        Operation::MoveItem,
    ];
    for operation in operations {
        for kind in [
            FaultKind::LoseReply,
            FaultKind::DropBefore,
            FaultKind::TruncateBody(200),
        ] {
            let setting = setting().await;
            deliver(&setting, 0..4);
            let fault = Fault::new(kind.clone()).on(operation);
            setting.exchange.inject(fault);
            let logger = setting.builder_on(stamping(&setting)).build().unwrap();
            let first = match logger.run_once().await {
                // What cannot be stamped together is stamped item by item within the run.
                Ok(report) if operation == Operation::UpdateItem => report,
                first => *first.expect_err("the fault is no success").report,
            };
            let second = logger.run_once().await.unwrap();
            let what = format!("{kind:?} {operation:?} {first:?} {second:?}");
            assert_eq!(first.logged + second.logged, 4, "{what}");
            assert_eq!(second.duplicate_copies, 0, "{what}");
            assert_eq!((setting.queued(), setting.stored()), (0, 4), "{what}");
        }
    }
}

/// A crash between stamp and commit leaves a stamp that the next run takes as it is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stamp_that_led_to_nothing_is_used_by_the_next_run() {
    let setting = setting().await;
    deliver(&setting, 0..1);
    let source = stamping(&setting);
    let path: FolderPath = QUEUE.parse().unwrap();
    let queue = source.open_folder(&path.into()).await.unwrap();
    let items: Vec<_> = keys(&source, QUEUE)
        .await
        .into_iter()
        .map(|(item, _)| item)
        .collect();
    let stamped = source.stamp(&queue, &items).await.unwrap();
    let [Stamped::Done(key, _)] = stamped.as_slice() else {
        panic!("{stamped:?}")
    };
    let logger = setting.builder_on(source.clone()).build().unwrap();
    assert_eq!(logger.run_once().await.unwrap().logged, 1);
    assert_eq!(keys(&source, STORAGE).await[0].1.as_ref(), Some(key));
    assert_eq!(updates(&setting), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_a_stamped_mail_is_moved_and_never_logged_again() {
    let setting = setting().await;
    deliver(&setting, 0..1);
    let source = stamping(&setting);
    let logger = setting.builder_on(source.clone()).build().unwrap();
    assert_eq!(logger.run_once().await.unwrap().logged, 1);
    let item = keys(&source, STORAGE).await.remove(0).0;
    setting.exchange.copy_item(&item.id, QUEUE).unwrap();
    let again = logger.run_once().await.unwrap();
    assert_eq!((again.logged, again.entries), (0, 0), "{again:?}");
    assert_eq!((setting.queued(), setting.stored()), (0, 2));
    assert_eq!(updates(&setting), 1);
    let keys = keys(&source, STORAGE).await;
    assert_eq!(keys[0].1, keys[1].1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_falls_back_to_the_content_and_is_asked_for_once() {
    let setting = setting().await;
    let rights = FolderRights::OWNER.with_modify(false);
    setting.exchange.set_rights(QUEUE, rights).unwrap();
    let logger = setting.builder_on(stamping(&setting)).build().unwrap();
    for round in 0..3 {
        deliver(&setting, round * 2..round * 2 + 2);
        let report = logger.run_once().await.unwrap();
        assert_eq!((report.logged, report.moved), (2, 2), "{report:?}");
    }
    assert_eq!(updates(&setting), 1);
    assert_eq!((setting.queued(), setting.stored()), (0, 6));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_item_that_cannot_be_stamped_holds_up_no_other() {
    let setting = setting().await;
    deliver(&setting, 0..3);
    let kind = FaultKind::ItemError {
        index: 1,
        code: "ErrorItemSave".into(),
    };
    setting
        .exchange
        .inject(Fault::new(kind).on(Operation::UpdateItem));
    let source = stamping(&setting);
    let logger = setting.builder_on(source.clone()).build().unwrap();
    assert_eq!(logger.run_once().await.unwrap().logged, 3);
    let keys = keys(&source, STORAGE).await;
    assert_eq!(keys.iter().filter(|(_, key)| key.is_some()).count(), 2);
}
