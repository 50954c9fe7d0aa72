//! A progress bar, where somebody looks at a terminal.

use std::sync::Arc;
use std::time::Duration;

use email_logging::logger::{Progress, ProgressEvent};
use indicatif::{ProgressBar, ProgressStyle};

use super::Output;

/// A bar on standard error that follows a run.
#[derive(Debug)]
pub(crate) struct Bar(ProgressBar);

impl Output {
    /// A bar, if it may move.
    pub(crate) fn bar(&self) -> Option<Arc<Bar>> {
        self.moving().then(|| Arc::new(Bar::new()))
    }
}

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::new_spinner();
        bar.set_message("listing");
        // Until a server answers, which may take a while, something moves.
        bar.enable_steady_tick(Duration::from_millis(100));
        Self(bar)
    }

    fn listed(&self, items: usize, total: Option<u64>) {
        let known = self.0.length().unwrap_or(0) + items as u64;
        let style = ProgressStyle::with_template("{msg:>9} {bar:30} {pos}/{len} mails, {elapsed}");
        if let Ok(style) = style {
            self.0.set_style(style.progress_chars("━━╌"));
        }
        self.0
            .set_length(total.map_or(known, |total| total.max(known)));
    }
}

impl Progress for Bar {
    fn on(&self, event: &ProgressEvent<'_>) {
        let bar = &self.0;
        match event {
            ProgressEvent::Started => bar.reset(),
            ProgressEvent::Listed { items, total } => self.listed(*items, *total),
            ProgressEvent::Fetched { .. } => bar.set_message("reading"),
            ProgressEvent::Committed { mails } if *mails > 0 => {
                bar.set_message("logging");
                bar.inc(*mails as u64);
            }
            ProgressEvent::Moved { .. } => bar.set_message("moving"),
            ProgressEvent::Ended { .. } => bar.finish_and_clear(),
            _ => {}
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
