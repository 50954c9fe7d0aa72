//! One mail that cannot be read among many: the others are logged, and it is dealt with by itself.

use email_logging::testkit::graph::{GraphFault, GraphFaultKind};

use crate::end_to_end::{Office, offers};

const MAILS: usize = 45;
const BAD: &str = "Offer 00007";

async fn office(kind: GraphFaultKind) -> Office {
    let office = Office::with(|it| it).await;
    office.deliver(0..MAILS, 100);
    office.graph.inject(GraphFault::new(kind).always());
    office
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subject_that_ends_in_half_a_character_is_logged_with_all_others() {
    let office = office(GraphFaultKind::LoneSurrogate(BAD.into())).await;
    let report = office.logger().run_once().await.unwrap();
    assert_eq!((report.logged, report.moved), (45, 45), "{report:?}");
    assert_eq!(office.logged().await, offers(MAILS));
    assert_eq!(office.counts(), (0, MAILS));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_cannot_be_read_is_set_aside_after_44_others_were_logged() {
    let office = office(GraphFaultKind::OddField(BAD.into())).await;
    let logger = office.logger();
    let first = logger.run_once().await.unwrap();
    assert!(first.closes(), "{first:?}");
    assert_eq!((first.logged, first.moved), (44, 44), "{first:?}");
    let mut others = offers(MAILS);
    others.retain(|subject| subject != BAD);
    assert_eq!(office.logged().await, others);
    let mut set_aside = first.quarantined;
    for _ in 0..9 {
        office.later().await;
        set_aside += logger.run_once().await.unwrap().quarantined;
    }
    assert_eq!(set_aside, 1);
    assert_eq!(office.counts(), (1, MAILS - 1));
    assert_eq!(office.logged().await, others);
}
