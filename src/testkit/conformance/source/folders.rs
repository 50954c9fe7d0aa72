//! Opening, listing and creating folders.

use std::sync::Arc;

use super::bench::Bench;
use crate::error::ErrorKind;
use crate::source::{Folder, FolderPath, FolderSelector, ListRequest, MailFolders};
use crate::testkit::conformance::harness::{Checked, Stop, check, equal, fails};

pub(super) async fn a_folder_is_opened_by_its_path(bench: &Bench) -> Checked {
    let (queue, storage) = (bench.queue().await?, bench.storage().await?);
    check!(queue.id != storage.id, "queue and storage have the same id");
    equal("opened again", bench.queue().await?.id, queue.id)
}

pub(super) async fn a_missing_folder_is_not_found(bench: &Bench) -> Checked {
    let selector = FolderSelector::Path(bench.fixture.missing());
    let answer = bench.source.open_folder(&selector).await;
    let error = fails("a missing folder", answer, ErrorKind::NotFound)?;
    check!(
        error.code().ends_with(".folder_not_found"),
        "the code is {}",
        error.code()
    );
    Ok(())
}

pub(super) async fn a_folder_is_opened_by_its_id_without_a_request(bench: &Bench) -> Checked {
    let queue = bench.queue().await?;
    bench.deliver([1]).await?;
    let before = bench.fixture.requests();
    let selector = FolderSelector::Id(queue.id.clone(), Some(bench.fixture.queue()));
    let opened = bench.source.open_folder(&selector).await?;
    equal("requests", bench.fixture.requests(), before)?;
    equal("the id", &opened.id, &queue.id)?;
    let listing = bench.source.list(&opened, ListRequest::new(0, 9)).await?;
    equal("items", listing.items.len(), 1)?;
    if before.is_none() {
        return Err(Stop::Skipped("requests cannot be counted".into()));
    }
    Ok(())
}

fn folders(bench: &Bench) -> Checked<Arc<dyn MailFolders>> {
    let skipped = || Stop::Skipped("the source cannot look around".into());
    bench.fixture.folders().ok_or_else(skipped)
}

fn parent(path: &FolderPath) -> Checked<FolderPath> {
    let above = path
        .segments()
        .split_last()
        .map(|(_, above)| above.to_vec());
    match above {
        Some(above) if !above.is_empty() => Ok(FolderPath::new(path.root().clone(), above)),
        _ => Err(Stop::Skipped("the queue hangs at a root".into())),
    }
}

pub(super) async fn folders_below_are_listed_page_by_page(bench: &Bench) -> Checked {
    let folders = folders(bench)?;
    let above = FolderSelector::Path(parent(&bench.fixture.queue())?);
    let all = folders.children(&above, ListRequest::new(0, 100)).await?;
    check!(all.complete, "a page that holds all is not complete");
    let mut paged: Vec<Folder> = Vec::new();
    loop {
        let offset = u32::try_from(paged.len()).unwrap_or(u32::MAX);
        let page = folders
            .children(&above, ListRequest::new(offset, 1))
            .await?;
        check!(
            page.folders.len() <= 1,
            "a page of {} folders",
            page.folders.len()
        );
        let ends = page.complete || page.folders.is_empty();
        paged.extend(page.folders);
        if ends {
            break;
        }
    }
    let ids = |folders: &[Folder]| folders.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    equal("page by page", ids(&paged), ids(&all.folders))?;
    for id in [bench.queue().await?.id, bench.storage().await?.id] {
        check!(
            ids(&paged).contains(&id),
            "a folder is missing below its parent"
        );
    }
    let missing = FolderSelector::Path(bench.fixture.missing());
    let answer = folders.children(&missing, ListRequest::new(0, 1)).await;
    fails("below a missing folder", answer, ErrorKind::NotFound)?;
    Ok(())
}

pub(super) async fn a_folder_is_created_once(bench: &Bench) -> Checked {
    let folders = folders(bench)?;
    let missing = bench.fixture.missing();
    let created = folders.create(&missing).await?;
    let again = folders.create(&missing).await?;
    equal("created again", &again.id, &created.id)?;
    equal("opened", bench.open(missing).await?.id, created.id)?;
    let queue = bench.queue().await?;
    let existing = folders.create(&bench.fixture.queue()).await?;
    equal("a folder that exists", existing.id, queue.id)
}
