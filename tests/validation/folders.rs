//! The two folders and the mail in them.

use std::time::Duration;

use email_logging::error::codes;
use email_logging::message::MailFacts;
use email_logging::setup::{Check, NotChecked, StorageRoom};
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::source::{FolderId, FolderPath, FolderRights, MemorySource};

use crate::bench::Bench;
use crate::fake_mail::{all_rights, answer, error, fails, queue, storage};

fn path(text: &str) -> FolderPath {
    text.parse().unwrap()
}

/// The id of a folder in memory.
async fn id(source: &MemorySource, path: FolderPath) -> FolderId {
    use email_logging::source::MailSource as _;
    source.open_folder(&path.into()).await.unwrap().id
}

#[tokio::test]
async fn a_root_without_a_folder_fails() {
    let bench = Bench::with_setup(|setup| {
        setup.queue_folder = Some(path(r"mailbox:\Logging\"));
        setup.storage_folder = Some(path(r"mailbox:\Logged\"));
    });
    let remedy = "Give the account the right to read the folders, or create them.";
    bench
        .fails(Check::RootFolder, "check.root_empty", remedy)
        .await;
}

#[tokio::test]
async fn a_root_that_may_not_be_read_fails() {
    let bench = Bench::new();
    let denied = SourceFault::Error(error(&codes::EWS_ACCESS_DENIED));
    bench
        .mail
        .source
        .fail_next(SourceOperation::Children, denied);
    let remedy = "Make the account an Owner of both folders.";
    bench
        .fails(Check::RootFolder, "ews.access_denied", remedy)
        .await;
}

#[tokio::test]
async fn an_inbox_as_the_queue_needs_no_folder_below_its_root() {
    let mut bench = Bench::with_setup(|setup| {
        setup.queue_folder = Some(path("inbox:"));
        setup.storage_folder = Some(path("archive:"));
    });
    let with = [path("inbox:"), path("archive:")];
    bench.mail.source = bench
        .mail
        .source
        .clone()
        .with_folder(&with[0])
        .with_folder(&with[1]);
    bench
        .not_checked(Check::RootFolder, NotChecked::NotApplicable)
        .await;
    bench.passes(Check::QueueFolder).await;
    bench.passes(Check::StorageFolder).await;
}

#[tokio::test]
async fn a_folder_that_is_not_named_fails() {
    let bench = Bench::with_setup(|setup| setup.queue_folder = None);
    let remedy = "Choose the queue folder.";
    bench
        .fails(Check::QueueFolder, "check.queue_unset", remedy)
        .await;
    let bench = Bench::with_setup(|setup| setup.storage_folder = None);
    let remedy = "Choose the storage folder.";
    bench
        .fails(Check::StorageFolder, "check.storage_unset", remedy)
        .await;
}

#[tokio::test]
async fn a_folder_that_does_not_exist_fails() {
    let remedy = "Check the folder's path.";
    let bench = Bench::with_setup(|setup| setup.queue_folder = Some(path(r"\Email Logging\Gone\")));
    bench
        .fails(Check::QueueFolder, "source.folder_not_found", remedy)
        .await;
    let bench =
        Bench::with_setup(|setup| setup.storage_folder = Some(path(r"\Email Logging\Gone\")));
    bench
        .fails(Check::StorageFolder, "source.folder_not_found", remedy)
        .await;
}

#[tokio::test]
async fn a_folder_of_an_id_that_does_not_exist_fails_though_opening_it_asks_nobody() {
    let bench = Bench::with_setup(|setup| {
        setup.queue_folder = None;
        setup.queue_folder_id = Some(FolderId::new("gone"));
    });
    let remedy = "Check the folder's path.";
    bench
        .fails(Check::QueueFolder, "source.folder_not_found", remedy)
        .await;
}

#[tokio::test]
async fn a_folder_that_was_renamed_is_found_by_its_id_and_warns() {
    let mut bench = Bench::new();
    bench.setup.queue_folder_id = Some(id(&bench.mail.source, queue()).await);
    bench.setup.storage_folder_id = Some(id(&bench.mail.source, storage()).await);
    bench.passes(Check::QueueFolder).await;
    let renamed = path(r"\Email Logging\Incoming\");
    assert!(bench.mail.source.rename_folder(&queue(), renamed));
    let remedy = "Choose the folder again, so that the set-up shows where it is.";
    let check = Check::QueueFolder;
    bench.warns(check, "check.folder_moved", remedy).await;
    bench.passes(Check::StorageFolder).await;
}

#[tokio::test]
async fn a_folder_that_may_not_be_read_fails() {
    let bench = Bench::new();
    let denied = SourceFault::Error(error(&codes::EWS_ACCESS_DENIED));
    bench.mail.source.fail_next(SourceOperation::List, denied);
    let remedy = "Make the account an Owner of both folders.";
    bench
        .fails(Check::QueueFolder, "ews.access_denied", remedy)
        .await;
}

#[tokio::test]
async fn one_folder_for_both_fails_by_path_and_by_what_the_server_says() {
    let remedy = "Choose two different folders.";
    let check = Check::FoldersDistinct;
    let bench = Bench::with_setup(|setup| setup.storage_folder = Some(queue()));
    bench
        .fails(check, "setup.queue_equals_storage", remedy)
        .await;
    let mut bench = Bench::new();
    bench.setup.storage_folder_id = Some(id(&bench.mail.source, queue()).await);
    bench
        .fails(check, "setup.queue_equals_storage", remedy)
        .await;
    bench.passes(Check::Fields).await;
}

#[tokio::test]
async fn rights_that_a_move_needs_are_named_where_they_are_missing() {
    let with = |rights: FolderRights| Bench::with_answers(|a| a.rights = answer(Some(rights)));
    let mut none = FolderRights::default();
    let remedy = "Make the account an Owner of the queue folder.";
    let check = Check::QueueRights;
    let result = with(none).fails(check, "check.queue_rights", remedy).await;
    assert!(result.found.unwrap().ends_with("(missing: read, delete)"));
    none.read = true;
    let result = with(none).fails(check, "check.queue_rights", remedy).await;
    assert!(result.found.unwrap().ends_with("(missing: delete)"));
    let remedy = "Make the account an Owner of the storage folder.";
    let check = Check::StorageRights;
    let result = with(none)
        .fails(check, "check.storage_rights", remedy)
        .await;
    assert!(result.found.unwrap().ends_with("(missing: create)"));
    with(all_rights()).passes(check).await;
    let silent = Bench::with_answers(|answers| answers.rights = answer(None));
    silent.not_checked(check, NotChecked::NotTold).await;
    silent
        .not_checked(Check::QueueRights, NotChecked::NotTold)
        .await;
}

#[tokio::test]
async fn a_storage_mailbox_that_fills_warns_and_a_full_one_fails() {
    let with = |used, limit| {
        let room = Some(StorageRoom::new(used, limit));
        Bench::with_answers(|answers| answers.room = answer(room))
    };
    let check = Check::StorageRoom;
    with(89, Some(100)).passes(check).await;
    with(u64::MAX, None).passes(check).await;
    let remedy = "Make room or raise the quota.";
    with(90, Some(100))
        .warns(check, "check.storage_filling", remedy)
        .await;
    let remedy = "Make room, raise the quota, or choose a storage folder in another mailbox.";
    with(100, Some(100))
        .fails(check, "check.storage_full", remedy)
        .await;
    with(1, Some(0))
        .fails(check, "check.storage_full", remedy)
        .await;
    let silent = Bench::with_answers(|answers| answers.room = answer(None));
    silent.not_checked(check, NotChecked::NotTold).await;
    let unable = Bench::with_answers(|answers| answers.room = fails(&codes::SOURCE_UNSUPPORTED));
    unable.not_checked(check, NotChecked::NotTold).await;
}

#[tokio::test]
async fn folders_without_mail_warn_that_rules_take_hours() {
    let bench = Bench::new();
    let item = bench.mail.source.items(&queue()).remove(0).item;
    bench.mail.source.take_away(&item);
    let remedy = "Check the two mail-flow rules; they may take hours to act. Send a mail to a contact and validate again.";
    bench
        .warns(Check::MailArriving, "check.no_mail", remedy)
        .await;
}

#[tokio::test]
async fn mail_that_stopped_arriving_warns_with_its_age() {
    let bench = Bench::new();
    let check = Check::MailArriving;
    bench.mail.clock.advance(Duration::from_hours(7 * 24));
    bench.passes(check).await;
    bench.mail.clock.advance(Duration::from_hours(1));
    let remedy = "Check that the two mail-flow rules are on and name the queue folder's address; changes may take hours to act.";
    let result = bench.warns(check, "check.no_recent_mail", remedy).await;
    assert!(
        result
            .found
            .unwrap()
            .ends_with("(the newest is 7 days old)")
    );
    let mut facts = MailFacts::default();
    facts.received = Some(bench.mail.clock.now_plus(Duration::ZERO));
    bench
        .mail
        .source
        .deliver(&storage(), "Subject: Two\r\n\r\n", facts);
    bench.passes(check).await;
}

#[tokio::test]
async fn the_mail_systems_own_word_about_its_newest_mail_counts_first() {
    let bench = Bench::with_answers(|answers| answers.newest = answer(Some(None)));
    let result = bench.result(Check::MailArriving).await;
    assert_eq!(result.code, Some("check.no_mail"));
}
