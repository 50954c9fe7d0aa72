//! `opportunity`: from an entry of the log to a sale.

pub(crate) mod args;
mod seed;
mod tell;

use std::path::Path;

use email_logging::error::Error;
use email_logging::opportunity::{
    Changed, Closing, Creation, Opportunity, OpportunityStatus, PrivacyBlock, Quote, SalesCycle,
    StageAction, StageUpdate,
};
use email_logging::store::{
    Cursor, InteractionLog as _, OpportunityFilter, OpportunityStore as _, StoredOpportunity,
};
use email_logging::{ContactNo, EntryId, OpportunityNo};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use self::args::{
    CloseArgs, CreateArgs, Estimates, ListArgs, OneArgs, OpportunityArgs, OpportunityCommand,
    QuoteArgs, Status, TasksArgs,
};
use crate::exit::{Exit, Failure};
use crate::find::Reader;
use crate::output::Output;

/// `opportunity`.
pub(crate) async fn opportunity(
    args: &OpportunityArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    use OpportunityCommand as Command;
    let reader = Reader::open(file, args.store.as_deref()).await?;
    reader.store.migrate().await?;
    let book = Book { reader, output };
    match &args.command {
        Command::Create(args) => book.create(args).await?,
        Command::List(args) => book.list(args).await?,
        Command::Show(args) => book.show(args).await?,
        Command::First(args) => {
            book.go(&args.no, StageAction::First, &args.estimates)
                .await?;
        }
        Command::Next(args) => {
            book.go(&args.no, StageAction::Next, &args.estimates)
                .await?;
        }
        Command::Previous(args) => {
            book.go(&args.no, StageAction::Previous, &args.estimates)
                .await?;
        }
        Command::Skip(args) => {
            let action = StageAction::Skip(args.stage);
            book.go(&args.no, action, &args.estimates).await?;
        }
        Command::Jump(args) => {
            let action = StageAction::Jump(args.stage);
            book.go(&args.no, action, &args.estimates).await?;
        }
        Command::Update(args) => {
            book.go(&args.no, StageAction::Update, &args.estimates)
                .await?;
        }
        Command::Quote(args) => book.quote(args).await?,
        Command::Close(args) => book.close(args).await?,
        Command::Delete(args) => book.delete(args).await?,
        Command::Tasks(args) => book.tasks(args).await?,
        Command::Cycles(args) => {
            seed::seed(&book.reader, args).await?;
            tell::cycles(&book.cycles().await?, output)?;
        }
        Command::CloseCodes => {
            let codes = book.reader.store.close_codes(&book.reader.scope).await?;
            tell::close_codes(&codes, output)?;
        }
        Command::Statistics(args) => {
            let (store, scope) = (&book.reader.store, &book.reader.scope);
            let stages = store.stage_statistics(scope, args.cycle.as_deref()).await?;
            tell::statistics(&stages, output)?;
        }
    }
    Ok(Exit::Done)
}

/// The opportunities of a log, and who is told.
struct Book<'a> {
    reader: Reader,
    output: &'a Output,
}

fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

impl Book<'_> {
    async fn create(&self, args: &CreateArgs) -> Result<(), Failure> {
        let entry = self.entry(args).await?;
        let (store, scope) = (&self.reader.store, &self.reader.scope);
        let contact = store.entry(scope, &entry).await?.entry;
        let privacy = self.privacy(&contact.contact_no, contact.contact_company_no.as_ref())?;
        let mut creation = Creation::on(args.date.unwrap_or_else(today), privacy);
        creation.fallback_salesperson = args.salesperson.as_deref().map(Into::into);
        let made = store.create_opportunity(scope, &entry, &creation).await?;
        tell::changed(&made, &[], self.output)
    }

    /// What the directory says of a contact and its company. Without a directory nobody is known to be blocked.
    fn privacy(
        &self,
        contact: &ContactNo,
        company: Option<&ContactNo>,
    ) -> Result<PrivacyBlock, Failure> {
        if !self.reader.has_directory() {
            let note =
                "no directory is configured, so nobody looked whether the contact is blocked";
            self.output.note(note);
            return Ok(PrivacyBlock::NotBlocked);
        }
        let directory = self.reader.directory()?;
        let is_blocked = |no| {
            directory
                .contact(no)
                .is_some_and(|found| found.privacy_blocked)
        };
        Ok(PrivacyBlock::of(
            is_blocked(contact),
            company.is_some_and(is_blocked),
        ))
    }

    async fn entry(&self, args: &CreateArgs) -> Result<EntryId, Failure> {
        let found = self.reader.find(&args.entry).await?;
        found.entry.ok_or_else(|| {
            let what = "that is a mail and not an entry";
            Failure::unknown(what, "Give the number of an entry, as `log` lists it.")
        })
    }

    async fn list(&self, args: &ListArgs) -> Result<(), Failure> {
        let mut filter = OpportunityFilter::default();
        filter.contact = args.contact.as_deref().map(Into::into);
        filter.company = args.company.as_deref().map(Into::into);
        filter.salesperson = args.salesperson.as_deref().map(Into::into);
        filter.open = args.open;
        filter.status = args.status.map(|status| match status {
            Status::NotStarted => OpportunityStatus::NotStarted,
            Status::InProgress => OpportunityStatus::InProgress,
            Status::Won => OpportunityStatus::Won,
            Status::Lost => OpportunityStatus::Lost,
        });
        let after = args.after.as_ref().map(Cursor::new);
        let (store, scope) = (&self.reader.store, &self.reader.scope);
        let page = store.opportunities(scope, &filter, after.as_ref(), args.limit);
        let page = page.await?;
        tell::list(&page.rows, page.next.as_ref(), self.output)
    }

    async fn show(&self, args: &OneArgs) -> Result<(), Failure> {
        let stored = self.load(&args.no).await?;
        let (store, scope) = (&self.reader.store, &self.reader.scope);
        let no = &stored.opportunity.no;
        let interactions = store.count_interactions(scope, no).await?;
        let statistics = stored.opportunity.statistics(interactions);
        tell::whole(&stored, &statistics, self.output)
    }

    async fn go(&self, no: &str, action: StageAction, typed: &Estimates) -> Result<(), Failure> {
        let cycles = self.cycles().await?;
        let date = typed.date.unwrap_or_else(today);
        let bare = typed.value.is_none() && typed.chance.is_none() && typed.close_date.is_none();
        let mut update = StageUpdate::new(action, date).with_cancel_open_tasks(typed.cancel_tasks);
        update.estimated_value = typed.value;
        update.chance = typed.chance;
        update.close_date = typed.close_date;
        self.change(no, |one| {
            let none = SalesCycle::new("");
            let mut known = cycles.iter();
            let cycle = known.find(|cycle| Some(&cycle.code) == one.sales_cycle_code.as_ref());
            let cycle = cycle.unwrap_or(&none);
            if action == StageAction::First && bare {
                return one.activate_first_stage(cycle, date);
            }
            one.update(cycle, &update)
        })
        .await
    }

    async fn quote(&self, args: &QuoteArgs) -> Result<(), Failure> {
        let quote = args.quote.as_ref().zip(args.value);
        self.change(&args.no, |one| {
            match quote {
                Some((no, value)) => one.assign_quote(Quote::new(no, value), args.person)?,
                None => drop(one.remove_quote()?),
            }
            Ok(Changed::default())
        })
        .await
    }

    async fn close(&self, args: &CloseArgs) -> Result<(), Failure> {
        let codes = self.reader.store.close_codes(&self.reader.scope).await?;
        let code = codes
            .iter()
            .find(|code| Some(&code.code) == args.code.as_ref());
        let date = args.date.unwrap_or_else(today);
        let closing = if args.won {
            Closing::won(date, args.value)
        } else {
            Closing::lost(date)
        };
        let closing = closing.with_cancel_open_tasks(args.cancel_tasks);
        self.change(&args.no, |one| one.close(&closing, code)).await
    }

    async fn delete(&self, args: &OneArgs) -> Result<(), Failure> {
        let stored = self.load(&args.no).await?;
        let (store, scope) = (&self.reader.store, &self.reader.scope);
        let no = &stored.opportunity.no;
        store.delete_opportunity(scope, no, stored.version).await?;
        if self.output.json() {
            return self.output.value(&json!({ "deleted": no }));
        }
        self.output.line(format!("{} is deleted.", args.no))
    }

    async fn tasks(&self, args: &TasksArgs) -> Result<(), Failure> {
        if let Some(task) = args.done {
            let tick = |one: &mut Opportunity| {
                one.complete_task(task)?;
                Ok(Changed::default())
            };
            return self.change(&args.no, tick).await;
        }
        let stored = self.load(&args.no).await?;
        tell::tasks(&stored.opportunity.tasks, self.output)
    }

    async fn cycles(&self) -> Result<Vec<SalesCycle>, Failure> {
        Ok(self.reader.store.sales_cycles(&self.reader.scope).await?)
    }

    async fn load(&self, no: &str) -> Result<StoredOpportunity, Failure> {
        let (store, scope) = (&self.reader.store, &self.reader.scope);
        Ok(store
            .load_opportunity(scope, &OpportunityNo::new(no))
            .await?)
    }

    async fn change(
        &self,
        no: &str,
        change: impl FnOnce(&mut Opportunity) -> Result<Changed, Error>,
    ) -> Result<(), Failure> {
        let mut stored = self.load(no).await?;
        let changed = change(&mut stored.opportunity)?;
        let (store, scope) = (&self.reader.store, &self.reader.scope);
        let saved = store.save_opportunity(scope, &stored.opportunity, stored.version);
        stored.version = saved.await?;
        tell::changed(&stored, &notes(&changed), self.output)
    }
}

/// What a change leaves to people.
fn notes(changed: &Changed) -> Vec<String> {
    let mut notes = Vec::new();
    for task in &changed.new_tasks {
        notes.push(format!(
            "new task {}, {}: {}",
            task.no, task.date, task.description
        ));
    }
    for task in &changed.canceled_tasks {
        notes.push(format!("task {task} is cancelled"));
    }
    if changed.contact_becomes_customer {
        notes.push("the contact is to become a customer".to_owned());
    }
    notes
}
