//! Folders that are gone, and items that somebody took to where the job may not look: nobody else's mail stands still, and
//! nothing is taken for lost that is still there.

use email_logging::logger::RunReport;
use email_logging::source::{FolderId, FolderSelector};
use email_logging::testkit::exchange::FolderRights;
use email_logging::testkit::graph::{GraphFault, GraphFaultKind, GraphOperation};

use crate::end_to_end::{Office, offers};
use crate::support::*;

const QUARANTINE: &str = r"log@corp.example\Quarantine";
const PRIVATE: &str = r"log@corp.example\Private";

fn ends(report: &RunReport) -> (u64, u64, u64) {
    (report.moved, report.moves_pending, report.vanished)
}

#[tokio::test]
async fn a_storage_folder_that_is_gone_is_told_and_its_mail_waits() {
    let office = Office::with(|it| it).await;
    let logger = office.logger();
    office.deliver(0..3, 10);
    assert_eq!(ends(&logger.run_once().await.unwrap()), (3, 0, 0));
    office.graph.delete_folder(STORAGE).unwrap();
    office.deliver(3..6, 10);
    let failed = logger.run_once().await.unwrap_err();
    assert_eq!(failed.error.code(), "graph.folder_not_found");
    assert_eq!(ends(&failed.report).2, 0, "{failed:?}");
    assert_eq!(office.graph.count(QUEUE).unwrap(), 3);
    office.graph.add_folder(STORAGE).unwrap();
    office.later().await;
    logger.run_once().await.unwrap();
    assert_eq!(office.counts(), (0, 3));
    assert_eq!(office.logged().await, offers(6));
}

#[tokio::test]
async fn a_storage_folder_by_its_id_that_is_gone_is_told_in_every_run() {
    let office = Office::with(|it| it).await;
    let id = FolderId::new(office.graph.folder_id(STORAGE).unwrap());
    let by_id = || {
        let builder = office.builder();
        let folder = FolderSelector::Id(id.clone(), None);
        builder.with_storage_folder(folder).build().unwrap()
    };
    office.graph.delete_folder(STORAGE).unwrap();
    office.deliver(0..3, 10);
    for _ in 0..3 {
        let failed = by_id().run_once().await.unwrap_err();
        assert_eq!(failed.error.code(), "graph.folder_not_found");
        assert_eq!(ends(&failed.report).2, 0, "{failed:?}");
        office.later().await;
    }
    assert_eq!(office.graph.count(QUEUE).unwrap(), 3);
    assert_eq!(office.logged().await, offers(3));
}

#[tokio::test]
async fn without_its_quarantine_folder_only_what_is_set_aside_waits() {
    let office = Office::with(|it| it).await;
    office.graph.add_folder(QUARANTINE).unwrap();
    let builder = office.builder();
    let builder = builder.with_quarantine_folder(path(r"mailbox:\Quarantine\"));
    let logger = builder.build().unwrap();
    logger.run_once().await.unwrap();
    office.graph.delete_folder(QUARANTINE).unwrap();
    office.graph.deliver(QUEUE, "unreadable").unwrap();
    office.deliver(0..2, 10);
    let report = logger.run_once().await.unwrap();
    assert_eq!(ends(&report), (2, 1, 0), "{report:?}");
    assert_eq!(office.counts(), (1, 2));
    office.graph.add_folder(QUARANTINE).unwrap();
    office.later().await;
    logger.run_once().await.unwrap();
    assert_eq!(office.graph.count(QUARANTINE).unwrap(), 1);
}

#[tokio::test]
async fn a_mail_that_somebody_took_to_where_the_job_may_not_look_holds_up_no_other() {
    let office = Office::with(|it| it).await;
    office.graph.add_folder(PRIVATE).unwrap();
    office.deliver(0..4, 10);
    let logger = office.logger();
    let lost = GraphFault::new(GraphFaultKind::DropBefore).on(GraphOperation::Batch);
    office.graph.inject(lost.at_call(2));
    let first = logger.run_once().await;
    assert_eq!(office.counts(), (4, 0), "{first:?}");
    let taken = office.graph.items(QUEUE).unwrap().remove(1).id;
    office.graph.move_item(&taken, PRIVATE).unwrap();
    let private = office.graph.set_rights(PRIVATE, FolderRights::NONE);
    private.unwrap();
    office.later().await;
    let report = logger.run_once().await.unwrap();
    assert_eq!(ends(&report), (3, 0, 1), "{report:?}");
    assert_eq!(office.counts(), (0, 3));
    assert_eq!(office.logged().await, offers(4));
    office.later().await;
    assert_eq!(ends(&logger.run_once().await.unwrap()), (0, 0, 0));
}

#[tokio::test]
async fn a_copy_that_somebody_put_back_is_noted_and_logged_once() {
    let office = Office::with(|it| it).await;
    office.deliver(0..2, 10);
    let logger = office.logger();
    logger.run_once().await.unwrap();
    let stored = office.graph.items(STORAGE).unwrap();
    office.graph.copy_item(&stored[0].id, QUEUE).unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.moved, report.duplicate_copies), (1, 1));
    // The first copy is gone: what comes back is the only one.
    office.graph.remove_item(&stored[1].id).unwrap();
    let again = office.graph.items(STORAGE).unwrap();
    let other = again
        .iter()
        .find(|it| it.search_key == stored[0].search_key);
    office.graph.move_item(&other.unwrap().id, QUEUE).unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.moved, report.vanished), (1, 0), "{report:?}");
    assert_eq!(office.logged().await, offers(2));
}
