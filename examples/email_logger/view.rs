//! `show --text`, `--html` and `--attachments`: the original made fit for people.

use std::io::Write as _;
use std::path::Path;

use email_logging::MessageUid;
use email_logging::store::InteractionLog as _;
use email_logging::view::{OriginalView, ViewLimits, own_text};
use serde_json::json;

use crate::cli::ShowArgs;
use crate::exit::{Exit, Failure};
use crate::find::Reader;
use crate::output::{Output, safe};
use crate::show::create;
use crate::words;

pub(crate) async fn show(
    args: &ShowArgs,
    reader: &Reader,
    message: &MessageUid,
    output: &Output,
) -> Result<Exit, Failure> {
    let original = reader
        .store
        .original(&reader.scope, message, 0..u64::MAX)
        .await?;
    let view = OriginalView::of(&original.bytes, &ViewLimits::default());
    if let Some(file) = &args.html {
        write_html(&view, file, output)?;
    }
    if let Some(directory) = &args.attachments {
        write_attachments(&view, directory, output)?;
    }
    if args.text && output.json() {
        output.value(&value(&view, args.own))?;
    } else if args.text {
        tell(&view, args.own, output)?;
    }
    Ok(Exit::Done)
}

fn text(view: &OriginalView<'_>, own: bool) -> String {
    let text = view.text().text;
    if own { own_text(&text) } else { text }
}

fn value(view: &OriginalView<'_>, own: bool) -> serde_json::Value {
    let headers = view.headers();
    let codes: Vec<_> = view.wrappers().iter().map(|one| one.code()).collect();
    json!({
        "subject": headers.subject,
        "from": headers.from,
        "to": headers.to,
        "cc": headers.cc,
        "sent": headers.sent,
        "text": text(view, own),
        "attachments": view.attachments().collect::<Vec<_>>(),
        "wrappers": codes,
        "invitation": view.invitation(),
    })
}

fn tell(view: &OriginalView<'_>, own: bool, output: &Output) -> Result<(), Failure> {
    for wrapper in view.wrappers() {
        output.line(output.style().strong(wrapper.text()))?;
    }
    if let Some(invitation) = view.invitation() {
        let what = format!("Invitation: {} ({})", invitation.summary, invitation.start);
        output.line(safe::text(&what))?;
    }
    for line in text(view, own).lines() {
        output.line(safe::text(line))?;
    }
    for attachment in view.attachments() {
        let size = words::size(attachment.size);
        let what = format!("attached: {} ({size})", attachment.name);
        output.line(output.style().dim(&safe::text(&what)))?;
    }
    Ok(())
}

fn write_html(view: &OriginalView<'_>, file: &Path, output: &Output) -> Result<(), Failure> {
    let html = view
        .html()
        .ok_or_else(|| Failure::unknown("the mail has no HTML that can be shown", "Use --text."))?;
    write(file, html.folded_document().as_bytes(), output)?;
    if !html.remote.is_empty() {
        output.note(safe::text(&html.remote.text()));
    }
    Ok(())
}

fn write_attachments(
    view: &OriginalView<'_>,
    directory: &Path,
    output: &Output,
) -> Result<(), Failure> {
    std::fs::create_dir_all(directory).map_err(|error| {
        Failure::input(format!("{} cannot be made", directory.display()), &error)
    })?;
    for (index, attachment) in view.attachments().enumerate() {
        let bytes = view.attachment(index).unwrap_or_default();
        write(&directory.join(&attachment.name), &bytes, output)?;
    }
    Ok(())
}

fn write(path: &Path, bytes: &[u8], output: &Output) -> Result<(), Failure> {
    let (name, mut file) = create(path)?;
    file.write_all(bytes)
        .map_err(|error| Failure::input(format!("{name} cannot be written"), &error))?;
    output.note(format!(
        "{}: {}",
        safe::text(&name),
        words::size(bytes.len() as u64)
    ));
    Ok(())
}
