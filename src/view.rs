//! An original mail shown to people: headers, text, HTML, attachments and what protects it.
//!
//! Takes the bytes of an original and answers views. Nothing is fetched, run or changed, no bytes
//! fail, and everything is bounded by [`ViewLimits`]. It knows no store and no source.
//!
//! All text comes from strangers. Headers, names and texts have control and direction characters
//! taken out, but they are plain text: a page must escape them ([`safe_text`]) or leave that to
//! its template. Only [`HtmlView`] is markup, for a sandboxed frame under its policy.
//!
//! A view has no link to the mail in Exchange. Outlook on the web opens an item by its EWS id
//! (Microsoft reference, `WebClientReadFormQueryString`), and an item that moves gets a new id
//! (`MoveItem`), so a link of the time of logging would be dead after the move that follows it.
//! [`MessageRecord::web_link`](crate::store::MessageRecord::web_link) is kept only of mail that stays where it was read.

mod attachment;
mod headers;
#[cfg(feature = "html")]
mod html;
mod invitation;
mod limits;
mod quoted;
mod safe_text;
mod text;
mod tnef;
mod wrapper;

pub use attachment::ViewAttachment;
pub use headers::ViewHeaders;
#[cfg(feature = "html")]
#[cfg_attr(docsrs, doc(cfg(feature = "html")))]
pub use html::{HtmlView, RemoteContent};
pub use invitation::Invitation;
pub use limits::ViewLimits;
pub use quoted::{Segment, SegmentKind, own_text, split_quoted};
pub use safe_text::{content_disposition, plain_text, safe_text};
pub use text::TextView;
pub use wrapper::Wrapper;

use std::borrow::Cow;

use crate::message::Original;
use attachment::Listed;

/// An original, opened for people.
///
/// ```
/// use email_logging::view::{OriginalView, ViewLimits, own_text};
///
/// let mail = b"From: Tim <tim@customer.example>\r\nSubject: Offer\r\n\r\nYes, please.\r\n\r\n\
///              On 3 May 2026, Anna <anna@corp.example> wrote:\r\n> Shall we?\r\n";
/// let view = OriginalView::of(mail, &ViewLimits::default());
/// assert_eq!(view.headers().subject, "Offer");
/// assert_eq!(own_text(&view.text().text), "Yes, please.");
/// ```
#[derive(Debug)]
pub struct OriginalView<'a> {
    original: Original<'a>,
    limits: ViewLimits,
    headers: ViewHeaders,
    attachments: Vec<Listed>,
    wrappers: Vec<Wrapper>,
}

impl<'a> OriginalView<'a> {
    /// Opens an original. Never fails: what cannot be read is left out of the view and stays in
    /// the original. Of a journal report the mail inside is shown.
    pub fn of(original: &'a [u8], limits: &ViewLimits) -> Self {
        let original = Original::open(original, &limits.message);
        Self {
            headers: ViewHeaders::of(&original, limits),
            attachments: attachment::list(&original, limits),
            wrappers: wrapper::list(&original),
            limits: limits.clone(),
            original,
        }
    }

    /// Subject, people and date.
    pub fn headers(&self) -> &ViewHeaders {
        &self.headers
    }

    /// The text that a person reads first: plain text where there is some, else the HTML as text.
    pub fn text(&self) -> TextView {
        text::view(&self.original, &self.limits)
    }

    /// The HTML, sanitised. None where the mail has none, and where it is nested so deep that to
    /// parse it would take more than its bytes are worth; the text is there all the same.
    #[cfg(feature = "html")]
    #[cfg_attr(docsrs, doc(cfg(feature = "html")))]
    pub fn html(&self) -> Option<HtmlView> {
        html::view(&self.original, &self.limits)
    }

    /// The attachments in the order of the original, those inside a `winmail.dat` behind it.
    pub fn attachments(&self) -> impl ExactSizeIterator<Item = &ViewAttachment> {
        self.attachments.iter().map(|listed| &listed.shown)
    }

    /// The decoded bytes of the attachment at this place in [`attachments`](Self::attachments).
    pub fn attachment(&self, index: usize) -> Option<Cow<'_, [u8]>> {
        let listed = self.attachments.get(index)?;
        Some(attachment::bytes(&self.original, listed))
    }

    /// What wraps or protects the content, each once.
    pub fn wrappers(&self) -> &[Wrapper] {
        &self.wrappers
    }

    /// The invitation that the mail carries (RFC 5545, RFC 6047).
    pub fn invitation(&self) -> Option<Invitation> {
        invitation::find(&self.original)
    }

    /// Whether parts were left out because they are damaged or beyond a limit.
    pub fn is_incomplete(&self) -> bool {
        self.original.incomplete
    }
}
