//! What a mail system tells of itself, by the one trait that hosts and programs use.

use std::sync::Arc;
use std::time::Duration;

use email_logging::clock::Clock as _;
use email_logging::source::{FolderPath, FolderSelector, MailHints, Wakeup};
use email_logging::testkit::exchange::{Delivery, SimulatedExchange};
use tokio::task::JoinHandle;

use crate::place::Place;
use crate::support::source_at;

fn selector(text: &str) -> FolderSelector {
    text.parse::<FolderPath>().unwrap().into()
}

fn waiting(wakeup: &Arc<dyn Wakeup>) -> JoinHandle<()> {
    let wakeup = Arc::clone(wakeup);
    tokio::spawn(async move { wakeup.wait().await })
}

async fn hint(place: &Place, wakeup: &Arc<dyn Wakeup>) {
    let wait = waiting(wakeup);
    place.until("a hint", || wait.is_finished()).await;
}

async fn no_hint(place: &Place, wakeup: &Arc<dyn Wakeup>) {
    let wait = waiting(wakeup);
    place.rest().await;
    assert!(!wait.is_finished(), "a hint that nobody gave");
    wait.abort();
}

fn deliver(place: &Place, path: &str) {
    let mail = Delivery::new("Subject: x\r\n\r\n").with_received(place.clock.now());
    place.graph.deliver_with(path, mail).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn change_tracking_waits_for_its_folder_and_finds_it_again() {
    const LATER: &str = r"log@corp.example\Later";
    let place = Place::new().await;
    let folder = selector(r"mailbox:\Later\");
    let wakeup = MailHints::wakeup(&place.source, &folder, Duration::from_secs(30)).unwrap();
    no_hint(&place, &wakeup).await;
    place.graph.add_folder(LATER).unwrap();
    // The first look is a hint, for nothing is known of the time before it.
    hint(&place, &wakeup).await;
    no_hint(&place, &wakeup).await;
    deliver(&place, LATER);
    hint(&place, &wakeup).await;
    no_hint(&place, &wakeup).await;
    // Another folder of the same name is another folder.
    place.graph.delete_folder(LATER).unwrap();
    no_hint(&place, &wakeup).await;
    place.graph.add_folder(LATER).unwrap();
    hint(&place, &wakeup).await;
    deliver(&place, LATER);
    hint(&place, &wakeup).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn public_folders_give_no_hints_and_ews_calls_nobody() {
    let place = Place::new().await;
    let public = selector(r"\Email Logging\Queue\");
    let every = Duration::from_secs(30);
    let exchange = SimulatedExchange::builder().with_user("svc@example.com", "canary-secret");
    let exchange = exchange.start().await.unwrap();
    let (ews, _) = source_at(&exchange.url(), |builder| builder);
    let codes = [
        MailHints::wakeup(&place.source, &public, every)
            .unwrap_err()
            .code(),
        MailHints::subscriptions(&place.source, &public)
            .unwrap_err()
            .code(),
        MailHints::wakeup(&ews, &public, every).unwrap_err().code(),
        MailHints::subscriptions(&ews, &selector("inbox:"))
            .unwrap_err()
            .code(),
    ];
    assert_eq!(codes, ["source.unsupported"; 4]);
    assert!(MailHints::wakeup(&ews, &selector("inbox:"), every).is_ok());
    assert!(MailHints::subscriptions(&place.source, &selector("inbox:")).is_ok());
    assert_eq!(place.graph.statistics().requests, 0, "nothing is sent yet");
}
