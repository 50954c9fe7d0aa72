//! Whether mail reaches the folders at all: the mail-flow rules cannot be asked, but their effect can.

use jiff::{SignedDuration, Timestamp};

use super::checks::Check;
use super::context::{Context, Judged, ended, not_checked};
use super::findings;
use super::result::{CheckResult, NotChecked};
use crate::error::Result;
use crate::setup::MailConnection;
use crate::source::{Folder, ListRequest};

impl Context {
    pub(super) async fn mail_arriving(&self) -> Judged {
        let check = Check::MailArriving;
        let connection = self.connection(check)?;
        let queue = newest(connection, self.queue(check)?).await;
        let storage = newest(connection, self.storage(check)?).await;
        let (queue, storage) = (queue.map_err(ended(check))?, storage.map_err(ended(check))?);
        let newest = match (queue, storage) {
            (None, None) => return Err(not_checked(check, NotChecked::NotTold)),
            (queue, storage) => queue.flatten().max(storage.flatten()),
        };
        let Some(newest) = newest else {
            return Ok(CheckResult::warning(check, &findings::NO_MAIL));
        };
        let age = self.began.duration_since(newest);
        let limit = SignedDuration::try_from(self.validator.mail_age);
        if age <= limit.unwrap_or(SignedDuration::MAX) {
            return Ok(CheckResult::passed(check));
        }
        let days = age.as_hours() / 24;
        let result = CheckResult::warning(check, &findings::NO_RECENT_MAIL);
        Ok(result.and(format!("the newest is {days} days old")))
    }
}

/// When the newest mail came, as the mail system says it, or else as the end of its listing shows it.
async fn newest(connection: &MailConnection, folder: &Folder) -> Result<Option<Option<Timestamp>>> {
    if let Some(newest) = connection.probe.newest_mail(folder).await? {
        return Ok(Some(newest));
    }
    let source = &connection.source;
    let first = source.list(folder, ListRequest::new(0, 1)).await?;
    let last = match first.total.map(u32::try_from) {
        Some(Ok(0)) => return Ok(Some(None)),
        Some(Ok(1)) => first,
        Some(Ok(total)) => source.list(folder, ListRequest::new(total - 1, 1)).await?,
        Some(Err(_)) | None => return Ok(None),
    };
    let received = last.items.last().and_then(|item| item.received);
    Ok(received.map(Some))
}
