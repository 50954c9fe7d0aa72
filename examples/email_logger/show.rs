//! `show`: one mail with its entries and the decisions about it, or the original bit for bit.

use std::io::Write as _;
use std::path::Path;

use email_logging::MessageUid;
use email_logging::error::codes;
use email_logging::interaction::{ConversationMail, InteractionLogEntry};
use email_logging::store::{Conversations as _, DecisionRecord, InteractionLog as _, LoggedMail};
use serde_json::json;

use crate::cli::ShowArgs;
use crate::exit::{Exit, Failure};
use crate::explain::tell_steps;
use crate::find::{Found, Reader};
use crate::output::{Output, mails, safe};
use crate::{view, words};

/// Bytes of an original that are read at a time.
const PIECE: u64 = 1 << 20;

/// `show`.
pub(crate) async fn show(
    args: &ShowArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let reader = Reader::open(file, args.store.as_deref()).await?;
    let found = reader.find(&args.which).await?;
    if args.original || args.output.is_some() {
        let message = found.message.ok_or_else(not_kept)?;
        let file = args.output.as_deref();
        reader.original(&message, file, output).await?;
        return Ok(Exit::Done);
    }
    if args.text || args.html.is_some() || args.attachments.is_some() {
        let message = found.message.ok_or_else(not_kept)?;
        return view::show(args, &reader, &message, output).await;
    }
    let mail = reader.mail(&found).await?;
    let thread = reader.thread(mail.as_ref()).await?;
    if output.json() {
        tell_program(mail.as_ref(), &thread, &found, output)?;
    } else {
        tell(mail.as_ref(), &found, output)?;
        tell_thread(mail.as_ref(), &thread, output)?;
    }
    Ok(Exit::Done)
}

fn not_kept() -> Failure {
    Failure::unknown(
        "the original is not kept",
        "Look for the mail in the folder to which it was moved.",
    )
}

/// A mail of which nothing is kept has decisions alone.
fn tell_program(
    mail: Option<&LoggedMail>,
    thread: &[(ConversationMail, LoggedMail)],
    found: &Found,
    output: &Output,
) -> Result<(), Failure> {
    let Some(mail) = mail else {
        let mut decisions = found.decisions.iter();
        return decisions.try_for_each(|decision| output.value(&json!({ "decision": decision })));
    };
    let mut value = mails::value(mail);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("decisions".into(), json!(found.decisions));
        let thread: Vec<_> = thread.iter().map(|(place, _)| place).collect();
        fields.insert("conversation".into(), json!(thread));
    }
    output.value(&json!({ "mail": value }))
}

fn tell(mail: Option<&LoggedMail>, found: &Found, output: &Output) -> Result<(), Failure> {
    match mail {
        Some(mail) => {
            tell_mail(mail, output)?;
            for one in &mail.entries {
                let chosen = found.entry.as_ref() == Some(&one.entry.id);
                tell_entry(one, chosen, output)?;
            }
        }
        None => output.line("Of this mail only a key and the reason are kept.")?,
    }
    for decision in &found.decisions {
        tell_decision(decision, output)?;
    }
    Ok(())
}

impl Reader {
    /// What is kept of a mail; nothing where only decisions are.
    async fn mail(&self, found: &Found) -> Result<Option<LoggedMail>, Failure> {
        let Some(message) = found.message else {
            return Ok(None);
        };
        match self.store.mail(&self.scope, &message).await {
            Ok(mail) => Ok(Some(mail)),
            Err(error)
                if error.code() == codes::STORE_NOT_FOUND.code && !found.decisions.is_empty() =>
            {
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The other mails of its conversation and itself; nothing where it stands alone.
    async fn thread(
        &self,
        mail: Option<&LoggedMail>,
    ) -> Result<Vec<(ConversationMail, LoggedMail)>, Failure> {
        let Some(mail) = mail else {
            return Ok(Vec::new());
        };
        let found = self.store.conversation(&self.scope, &mail.message).await?;
        let mut thread = Vec::new();
        if found.mails.len() > 1 {
            for place in found.mails {
                let mail = self.store.mail(&self.scope, &place.message).await?;
                thread.push((place, mail));
            }
        }
        Ok(thread)
    }

    /// Writes the original piece by piece. A file is made anew and readable by its owner alone.
    async fn original(
        &self,
        message: &MessageUid,
        file: Option<&Path>,
        output: &Output,
    ) -> Result<(), Failure> {
        let mut file = file.map(create).transpose()?;
        let mut from = 0;
        loop {
            let range = from..from + PIECE;
            let part = self.store.original(&self.scope, message, range).await?;
            match &mut file {
                Some((name, file)) => file
                    .write_all(&part.bytes)
                    .map_err(|error| Failure::input(format!("{name} cannot be written"), &error))?,
                None => output.stranger(&part.bytes)?,
            }
            from += part.bytes.len() as u64;
            if part.bytes.is_empty() || from >= part.total {
                break;
            }
        }
        if let Some((name, _)) = file {
            output.note(format!("{name}: {}", words::size(from)));
        }
        Ok(())
    }
}

/// A new file, readable by its owner alone, with its name.
pub(crate) fn create(path: &Path) -> Result<(String, std::fs::File), Failure> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let name = path.display().to_string();
    match options.open(path) {
        Ok(file) => Ok((name, file)),
        Err(error) => Err(Failure::input(format!("{name} cannot be made"), &error)),
    }
}

fn tell_mail(mail: &LoggedMail, output: &Output) -> Result<(), Failure> {
    let record = &mail.record;
    let room = output.columns().saturating_sub(13);
    for (index, line) in safe::lines(&record.subject, room).iter().enumerate() {
        let label = if index == 0 { "Subject" } else { "" };
        field(label, &output.style().strong(line), output)?;
    }
    for participant in &record.participants {
        let name = participant.name.as_deref().filter(|name| !name.is_empty());
        let who = match name {
            Some(name) => format!("{name} <{}>", participant.address),
            None => participant.address.clone(),
        };
        field(participant.role.code(), &safe::fit(&who, room), output)?;
    }
    let times = [("sent", record.sent), ("received", record.received)];
    for (label, time) in times {
        if let Some(time) = time {
            field(label, &format!("{} UTC", mails::minute(time)), output)?;
        }
    }
    if let Some(id) = &record.message_id {
        field("Message-ID", &safe::fit(id, room), output)?;
    }
    for attachment in &mail.attachments {
        let text = format!("{} ({})", attachment.name, words::size(attachment.size));
        field("attached", &safe::fit(&text, room), output)?;
    }
    if !record.flags.is_empty() {
        field("notes", &safe::fit(&record.flags.join(", "), room), output)?;
    }
    Ok(())
}

fn field(label: &str, text: &str, output: &Output) -> Result<(), Failure> {
    output.line(format!("{label:<11}  {text}"))
}

fn tell_entry(entry: &InteractionLogEntry, chosen: bool, output: &Output) -> Result<(), Failure> {
    let new = &entry.entry;
    let mark = if chosen { "*" } else { " " };
    let text = format!(
        "{} ({}) {} {} ({}), {}{}",
        new.salesperson_name,
        new.salesperson_code,
        mails::arrow(new.information_flow),
        new.contact_name,
        new.contact_no,
        new.information_flow.code(),
        if entry.canceled { ", cancelled" } else { "" },
    );
    output.line("")?;
    output.line(format!(
        "{mark} entry {:<4} {}",
        entry.entry_no,
        safe::text(&text)
    ))?;
    output.line(output.style().dim(&format!("  id         {}", new.id)))?;
    if !new.flags.is_empty() {
        output.line(format!(
            "  notes      {}",
            safe::text(&new.flags.join(", "))
        ))?;
    }
    Ok(())
}

/// The conversation, oldest first; an answer stands further to the right than what it answers.
fn tell_thread(
    mail: Option<&LoggedMail>,
    thread: &[(ConversationMail, LoggedMail)],
    output: &Output,
) -> Result<(), Failure> {
    if thread.is_empty() {
        return Ok(());
    }
    let mails = words::count(thread.len() as u64, "mail", "mails");
    output.line("")?;
    output.line(output.style().strong(&format!("Conversation of {mails}")))?;
    for (place, of) in thread {
        let mark = if Some(of.message) == mail.map(|mail| mail.message) {
            "*"
        } else {
            " "
        };
        let no = of
            .entries
            .first()
            .map_or_else(|| "-".to_owned(), |entry| entry.entry_no.to_string());
        let date = place.date.map(mails::minute).unwrap_or_default();
        let indent = usize::try_from(place.depth).unwrap_or_default().min(10) * 2;
        let room = output.columns().saturating_sub(27 + indent).max(12);
        let subject = safe::fit(&of.record.subject, room);
        output.line(format!(
            "{mark} {no:>5}  {date:<16}  {:indent$}{subject}",
            ""
        ))?;
    }
    Ok(())
}

fn tell_decision(record: &DecisionRecord, output: &Output) -> Result<(), Failure> {
    output.line("")?;
    let reason = if record.reason.is_empty() {
        String::new()
    } else {
        format!(" ({})", record.reason)
    };
    output.line(format!(
        "Decided {} UTC: {}{}, by policy {}",
        mails::minute(record.decided_at),
        output.style().strong(&record.outcome),
        safe::text(&reason),
        safe::text(&record.policy),
    ))?;
    tell_steps(&record.steps, output)?;
    let style = output.style();
    output.line(style.dim(&format!("  id             {}", record.sighting)))
}
