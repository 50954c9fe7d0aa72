//! The second stage: text and attachments of committed messages, in small steps that yield to logging.

use std::task::Poll;

use crate::caught::caught;
use crate::error::{ErrorKind, Result};
use crate::message::MessageContent;

use super::parts::Parts;
use super::shutdown::Shutdown;

const STEP: u32 = 20;

/// Originals above this are indexed by their first bytes: they stand in memory, and what is encoded in them once more.
const READ_BYTES: u64 = 8 << 20;

/// Indexes what is committed and not indexed yet, up to the limit. Answers how many messages that were.
pub(super) async fn index(
    parts: &Parts,
    limit: u32,
    mut shutdown: Option<&mut Shutdown<'_>>,
) -> Result<u64> {
    let Some(index) = &parts.index else {
        return Ok(0);
    };
    let mut done = 0;
    while done < u64::from(limit) {
        if let Some(shutdown) = &mut shutdown
            && shutdown.has_come().await
        {
            break;
        }
        let uids = index.unindexed(&parts.scope, STEP).await?;
        if uids.is_empty() {
            break;
        }
        let mut contents = Vec::with_capacity(uids.len());
        for uid in uids {
            let content = match parts.log.original(&parts.scope, &uid, 0..READ_BYTES).await {
                Ok(part) => {
                    let read = || MessageContent::read(&part.bytes, &parts.settings.limits);
                    caught(read).unwrap_or_default()
                }
                Err(error) if error.kind() == ErrorKind::StoreUnavailable => return Err(error),
                // One original that cannot be read keeps no other from being found.
                Err(_) => MessageContent::default(),
            };
            contents.push((uid, content));
        }
        done += contents.len() as u64;
        index.put_content(&parts.scope, contents).await?;
        give_way().await;
    }
    Ok(done)
}

/// Lets others of the same task go on, once. Tokio's own needs its runtime, and the logger has none.
async fn give_way() {
    let mut gave_way = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut gave_way, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[test]
    fn others_get_one_turn() {
        let mut context = Context::from_waker(Waker::noop());
        let mut turn = pin!(give_way());
        assert!(turn.as_mut().poll(&mut context).is_pending());
        assert!(turn.as_mut().poll(&mut context).is_ready());
    }
}
