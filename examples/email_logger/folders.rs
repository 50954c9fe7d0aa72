//! `folders`: what the account sees on Exchange, and what it may do there; and the choice of the two folders.

mod choose;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;

use email_logging::error::{Error, ErrorKind};
use email_logging::setup::{EmailLoggingSetup, MailService};
use email_logging::source::{
    DEFAULT_QUEUE_FOLDER, Folder, FolderPath, FolderRights, FolderRoot, FolderSelector,
    ListRequest, MailFolders,
};
use email_logging::store::SetupStore as _;
use serde_json::json;

use crate::cli::FoldersArgs;
use crate::config::{Config, Service};
use crate::connect;
use crate::exit::{self, Exit, Failure};
use crate::installation::Installation;
use crate::output::{Output, safe};

/// Folders that are shown at most; a mailbox with more is browsed from a lower folder.
const MOST: usize = 2_000;

/// Folders of one request.
const PAGE: u32 = 200;

/// `folders`.
pub(crate) async fn folders(
    args: &FoldersArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let config = Config::load(file, &args.settings)?;
    let Place {
        installation,
        source,
        is_graph,
    } = source(config).await?;
    if args.create_default {
        let in_mailbox = args.in_mailbox || is_graph;
        return choose::create_default(in_mailbox, installation.as_ref(), source, output).await;
    }
    if args.pick {
        return choose::pick(installation.as_ref(), source, output).await;
    }
    let tops = tops(args.below.as_deref(), is_graph)?;
    let mut seen = 0;
    let mut failed = None;
    for (title, top) in &tops {
        if !output.json() {
            output.line(output.style().strong(title))?;
        }
        match tree(source.as_ref(), top, args.depth, &mut seen, output).await {
            // An organisation may have no public folders, and an account no mailbox: the other half is still shown.
            Err(Failure::Library(error))
                if is_absence(&error) && failed.is_none() && tops.len() > 1 =>
            {
                output.note(format!("  {}", safe::text(&exit::what(&error, None))));
                failed = Some(error);
            }
            other => other?,
        }
    }
    match failed {
        Some(error) if seen == 0 => Err(error.into()),
        _ => Ok(Exit::Done),
    }
}

/// Where folders are looked for.
struct Place {
    installation: Option<Installation>,
    source: Arc<dyn MailFolders>,
    /// Microsoft Graph has no public folders.
    is_graph: bool,
}

/// The folders of the stored set-up's account, if there is a set-up; else those of the configuration.
async fn source(config: Config) -> Result<Place, Failure> {
    if config
        .store
        .path
        .as_ref()
        .is_some_and(|path| path.is_file())
    {
        let store = connect::existing_store(&config)?;
        let stored = store.load_setup(&config.scope()?).await?;
        if let Some(stored) = stored.filter(|stored| stored.setup != EmailLoggingSetup::default()) {
            let installation = Installation::with_store(config, store)?;
            let is_graph = stored.setup.mail_service == MailService::Graph;
            let connection = installation.connect(&to_browse(stored.setup)).await?;
            return Ok(Place {
                installation: Some(installation),
                source: connection.folders,
                is_graph,
            });
        }
    }
    Ok(Place {
        installation: None,
        source: connect::impatient_folders(&config)?,
        is_graph: config.exchange.service == Some(Service::Graph),
    })
}

/// Public folders are routed only where the set-up has one; before one is chosen, the default one stands for it.
fn to_browse(mut setup: EmailLoggingSetup) -> EmailLoggingSetup {
    let unset = setup.queue_folder.is_none() && setup.storage_folder.is_none();
    if unset && setup.mail_service == MailService::Ews {
        setup.queue_folder = DEFAULT_QUEUE_FOLDER.parse().ok();
    }
    setup
}

/// Where to begin, with a heading.
fn tops(below: Option<&str>, is_graph: bool) -> Result<Vec<(String, FolderPath)>, Failure> {
    if let Some(text) = below {
        let path: FolderPath = text.parse()?;
        return Ok(vec![(safe::text(&path.to_string()), path)]);
    }
    let root = |title: &str, root| (title.to_owned(), FolderPath::new(root, [""; 0]));
    let mailbox = root("Mailbox", FolderRoot::Mailbox);
    if is_graph {
        return Ok(vec![mailbox]);
    }
    Ok(vec![
        root("Public folders", FolderRoot::PublicFolders),
        mailbox,
    ])
}

/// The half that was asked for is not there, or not for this account.
fn is_absence(error: &Error) -> bool {
    let absences = [
        ErrorKind::NotFound,
        ErrorKind::PermissionDenied,
        ErrorKind::Config,
    ];
    absences.contains(&error.kind()) && !error.code().starts_with("credential.")
}

/// One folder that waits to be shown: its name and level, and where its children are.
struct Waiting {
    folder: Folder,
    path: FolderPath,
    level: u32,
}

async fn tree(
    source: &dyn MailFolders,
    top: &FolderPath,
    depth: u32,
    seen: &mut usize,
    output: &Output,
) -> Result<(), Failure> {
    let mut waiting = children(source, &FolderSelector::Path(top.clone()), top, 0).await?;
    while let Some(next) = waiting.pop_front() {
        *seen += 1;
        if *seen > MOST {
            output.note(format!("  more than {MOST} folders; the rest is not shown"));
            return Ok(());
        }
        tell(&next, output)?;
        if next.level + 1 < depth && next.folder.child_folders != Some(0) {
            let selector = FolderSelector::Id(next.folder.id.clone(), Some(next.path.clone()));
            let below = children(source, &selector, &next.path, next.level + 1).await?;
            below
                .into_iter()
                .rev()
                .for_each(|folder| waiting.push_front(folder));
        }
    }
    Ok(())
}

async fn children(
    source: &dyn MailFolders,
    parent: &FolderSelector,
    path: &FolderPath,
    level: u32,
) -> Result<VecDeque<Waiting>, Failure> {
    let mut found = VecDeque::new();
    let mut offset = 0;
    loop {
        let page = source
            .children(parent, ListRequest::new(offset, PAGE))
            .await?;
        let count = page.folders.len();
        for folder in page.folders {
            let name = folder.name.clone().unwrap_or_else(|| "(no name)".into());
            let mut segments = path.segments().to_vec();
            segments.push(name);
            let path = FolderPath::new(path.root().clone(), segments);
            found.push_back(Waiting {
                folder,
                path,
                level,
            });
        }
        offset += u32::try_from(count).unwrap_or(u32::MAX);
        if page.complete || count == 0 || found.len() > MOST {
            return Ok(found);
        }
    }
}

fn tell(found: &Waiting, output: &Output) -> Result<(), Failure> {
    let rights = found.folder.rights;
    if output.json() {
        return output.value(&json!({
            "path": found.path.to_string(),
            "id": found.folder.id.as_str(),
            "class": found.folder.class,
            "public": found.folder.public,
            "child-folders": found.folder.child_folders,
            "rights": rights.map(names),
        }));
    }
    let indent = "  ".repeat(found.level as usize + 1);
    let name = found.path.segments().last().map_or("", String::as_str);
    let room = output.columns().saturating_sub(indent.len() + 34).max(12);
    let name = safe::fit(name, room);
    let gap = " ".repeat(
        40_usize
            .saturating_sub(indent.len() + safe::width(&name))
            .max(2),
    );
    let rights = rights.map_or_else(
        || "rights not told".into(),
        |rights| names(rights).join(", "),
    );
    output.line(format!(
        "{indent}{name}{gap}{}",
        output.style().dim(&rights)
    ))
}

fn names(rights: FolderRights) -> Vec<&'static str> {
    let all = [
        (rights.read, "read"),
        (rights.create_contents, "create"),
        (rights.modify, "change"),
        (rights.delete, "delete"),
        (rights.create_hierarchy, "make folders"),
    ];
    all.iter()
        .filter(|(granted, _)| *granted)
        .map(|(_, name)| *name)
        .collect()
}
