//! The HTML view: what a stranger's markup becomes before a person sees it.
//!
//! Whatever comes in, what goes out has no script, no event handler, no form, no frame and no
//! address that loads by itself. A page shows it in a sandboxed frame under the policy given here,
//! so that a fault of the sanitiser still runs and fetches nothing.

mod blocked;
mod clean;
mod cost;
mod fold;
mod pictures;
mod style;
mod tags;

use std::fmt::Write as _;
use std::sync::Arc;

use super::limits::ViewLimits;
use super::safe_text::escape_lines;
use super::text::{bodies, cut};
use crate::message::Original;
use pictures::Pictures;

/// Columns of text that is made from HTML.
const COLUMNS: usize = 100;

/// What a mail wanted to load from elsewhere; nothing of it was loaded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct RemoteContent {
    /// Pictures.
    pub images: usize,
    /// Backgrounds, fonts and other addresses in attributes and style sheets.
    pub other: usize,
    /// The hosts of pictures too small to see, which tell the sender who reads; sorted, each once.
    pub trackers: Vec<String>,
}

impl RemoteContent {
    /// Whether anything was blocked.
    pub fn is_empty(&self) -> bool {
        self.images == 0 && self.other == 0
    }

    /// What a person should know, such as `3 remote images were blocked.`; empty where nothing was.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (count, one, many) in [
            (self.images, "remote image was", "remote images were"),
            (
                self.other,
                "other remote item was",
                "other remote items were",
            ),
        ] {
            if count > 0 {
                let space = if text.is_empty() { "" } else { " " };
                let what = if count == 1 { one } else { many };
                // Writing to a String cannot fail.
                let _ = write!(text, "{space}{count} {what} blocked.");
            }
        }
        if !self.trackers.is_empty() {
            let _ = write!(text, " Tracking pictures: {}.", self.trackers.join(", "));
        }
        text
    }
}

/// Sanitised HTML and what was kept out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HtmlView {
    /// The markup, well-formed, without `html`, `head` and `body`.
    pub body: String,
    /// What it wanted to load.
    pub remote: RemoteContent,
    /// How many pictures of the mail itself are shown inside.
    pub pictures: usize,
    /// Whether the HTML goes on beyond the limit.
    pub cut: bool,
}

impl HtmlView {
    /// The value of the `Content-Security-Policy` header under which a page serves
    /// [`document`](Self::document).
    pub const CONTENT_SECURITY_POLICY: &'static str = "sandbox allow-popups allow-popups-to-escape-sandbox; \
        default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; \
        form-action 'none'; frame-ancestors 'self'";

    /// The value of the frame's `sandbox` attribute: links open in a new window, nothing else works.
    pub const SANDBOX: &'static str = "allow-popups allow-popups-to-escape-sandbox";

    /// The markup with what is quoted folded away.
    ///
    /// Quotes of Gmail, Outlook, Apple Mail and Thunderbird stand in a closed `details` element,
    /// which opens without script. Nothing is removed; answers between quotes stay in sight.
    pub fn folded(&self) -> String {
        fold::fold(&self.body)
    }

    /// A whole document for a frame, with its own policy inside.
    pub fn document(&self) -> String {
        document(&self.body)
    }

    /// [`document`](Self::document) of the [`folded`](Self::folded) markup.
    pub fn folded_document(&self) -> String {
        document(&self.folded())
    }
}

fn document(body: &str) -> String {
    format!(
        "<!DOCTYPE html><html><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
         style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">\
         <meta name=\"referrer\" content=\"no-referrer\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Mail</title></head>\
         <body>{body}</body></html>"
    )
}

pub(super) fn view(original: &Original<'_>, limits: &ViewLimits) -> Option<HtmlView> {
    let parts = bodies(original, "text/html");
    let is_html = |part: &&&crate::message::OriginalPart| part.media_type == "text/html";
    parts.iter().find(is_html)?;
    let pictures = Arc::new(Pictures::of(original, limits));
    let mut view = HtmlView {
        body: String::new(),
        remote: RemoteContent::default(),
        pictures: 0,
        cut: false,
    };
    let mut room = limits.html_bytes;
    for part in parts {
        let text = original.text(part);
        let kept = cut(&text, room);
        view.cut |= kept.len() < text.len();
        room -= kept.len();
        if part.media_type == "text/html" {
            let cleaned = clean::clean(kept, &pictures)?;
            view.body.push_str(&cleaned.html);
            view.remote.images += cleaned.remote.images;
            view.remote.other += cleaned.remote.other;
            view.remote.trackers.extend(cleaned.remote.trackers);
        } else {
            let text = escape_lines(kept);
            // Writing to a String cannot fail.
            let _ = write!(
                view.body,
                "<div style=\"white-space:pre-wrap\">{text}</div>"
            );
        }
    }
    view.remote.trackers.sort();
    view.remote.trackers.dedup();
    view.pictures = pictures.shown();
    Some(view)
}

/// HTML as text: sanitised first, so that no address of a script or a tracker is printed.
pub(super) fn to_text(html: &str, limits: &ViewLimits) -> Option<String> {
    let cleaned = clean::clean(cut(html, limits.html_bytes), &Arc::new(Pictures::none()))?;
    let config = html2text::config::plain_no_decorate()
        .allow_width_overflow()
        .no_table_borders();
    config
        .string_from_read(cleaned.html.as_bytes(), COLUMNS)
        .ok()
}
