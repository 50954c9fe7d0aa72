//! `show`: one entry with its mail and the decision about it, or the original bit for bit.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use email_logging::error::{Error, codes};
use email_logging::interaction::InteractionLogEntry;
use email_logging::store::{
    DecisionFilter, DecisionRecord, InteractionLog as _, LogFilter, LoggedMail, SqliteStore,
};
use email_logging::{EntryId, MessageUid, Scope};
use serde_json::json;

use crate::cli::{Settings, ShowArgs, Which};
use crate::config::Config;
use crate::connect;
use crate::exit::{Exit, Failure};
use crate::explain::tell_steps;
use crate::output::{Output, mails, safe};
use crate::words;

/// Bytes of an original that are read at a time.
const PIECE: u64 = 1 << 20;

/// Entries of a page while a number is looked for.
const PAGE: u32 = 500;

/// The log that is read.
struct Reader {
    store: Arc<SqliteStore>,
    scope: Scope,
}

/// `show`.
pub(crate) async fn show(
    args: &ShowArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let settings = Settings {
        store: args.store.clone(),
        ..Settings::default()
    };
    let config = Config::load(file, &settings)?;
    let reader = Reader {
        store: connect::existing_store(&config)?,
        scope: config.scope()?,
    };
    let (message, entry) = reader.find(args.which).await?;
    if args.original {
        reader
            .original(&message, args.output.as_deref(), output)
            .await?;
        return Ok(Exit::Done);
    }
    let mail = reader.store.mail(&reader.scope, &message).await?;
    let decisions = reader.decisions(&message).await?;
    if output.json() {
        let mut value = mails::value(&mail);
        if let Some(fields) = value.as_object_mut() {
            fields.insert("decisions".into(), json!(decisions));
        }
        output.value(&value)?;
    } else {
        tell_mail(&mail, output)?;
        for found in &mail.entries {
            let chosen = entry.as_ref() == Some(&found.entry.id);
            tell_entry(found, chosen, output)?;
        }
        for decision in &decisions {
            tell_decision(decision, output)?;
        }
    }
    Ok(Exit::Done)
}

impl Reader {
    /// The message of an entry number, an entry's id or a message's id, and the entry if one was meant.
    async fn find(&self, which: Which) -> Result<(MessageUid, Option<EntryId>), Failure> {
        let id = match which {
            Which::No(no) => {
                let entry = self.numbered(no).await?;
                return Ok((entry.entry.message, Some(entry.entry.id)));
            }
            Which::Id(id) => id,
        };
        match self.store.entry(&self.scope, &id).await {
            Ok(entry) => Ok((entry.entry.message, Some(id))),
            Err(error) if error.code() == codes::STORE_NOT_FOUND.code => {
                Ok((MessageUid::from_bytes(*id.as_bytes()), None))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn numbered(&self, no: u64) -> Result<InteractionLogEntry, Failure> {
        let mut filter = LogFilter::default();
        (filter.entry_no, filter.canceled) = (Some(no), true);
        let page = self.store.entries(&self.scope, &filter, None, 1).await?;
        page.rows.into_iter().next().ok_or_else(|| {
            let error = Error::new(&codes::STORE_NOT_FOUND, "show");
            error.with_detail(format!("there is no entry {no}")).into()
        })
    }

    async fn decisions(&self, message: &MessageUid) -> Result<Vec<DecisionRecord>, Failure> {
        let mut filter = DecisionFilter::default();
        filter.message = Some(*message);
        let page = self
            .store
            .decisions(&self.scope, &filter, None, PAGE)
            .await?;
        Ok(page.rows)
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

fn create(path: &Path) -> Result<(String, std::fs::File), Failure> {
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
    tell_steps(&record.steps, output)
}
