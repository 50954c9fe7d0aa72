//! Choosing the two folders: by number, level by level, or the default ones, which are created.

use std::io::BufRead as _;
use std::sync::Arc;

use email_logging::error::Error;
use email_logging::setup::SetupChange;
use email_logging::source::{
    Folder, FolderBrowser, FolderPath, FolderRoot, FolderSelector, MailFolders,
};
use serde_json::json;

use crate::exit::{self, Exit, Failure};
use crate::installation::{Installation, missing};
use crate::output::{Output, safe};
use crate::setup::{show, tell};
use crate::words;

/// `folders --create-default`.
pub(super) async fn create_default(
    in_mailbox: bool,
    installation: Option<&Installation>,
    source: Arc<dyn MailFolders>,
    output: &Output,
) -> Result<Exit, Failure> {
    let root = if in_mailbox {
        FolderRoot::Mailbox
    } else {
        FolderRoot::PublicFolders
    };
    let mut browser = FolderBrowser::new(source, root.clone());
    let (queue, storage) = browser.create_default_folders().await?;
    let path = |name| FolderPath::new(root.clone(), ["Email Logging", name]);
    let (queue, storage) = (
        Chosen {
            folder: queue,
            path: path("Queue"),
        },
        Chosen {
            folder: storage,
            path: path("Storage"),
        },
    );
    if !output.json() {
        output.line(format!(
            "The folders are there: {} and {}",
            queue.path, storage.path
        ))?;
    }
    keep(installation, queue, storage, output).await
}

/// A folder with its path.
struct Chosen {
    folder: Folder,
    path: FolderPath,
}

impl Chosen {
    fn selector(&self) -> FolderSelector {
        FolderSelector::Id(self.folder.id.clone(), Some(self.path.clone()))
    }
}

/// Puts both folders into the set-up; without one it says where to write them.
async fn keep(
    installation: Option<&Installation>,
    queue: Chosen,
    storage: Chosen,
    output: &Output,
) -> Result<Exit, Failure> {
    let Some(installation) = installation else {
        if output.json() {
            output.value(
                &json!({ "queue": queue.path.to_string(), "storage": storage.path.to_string() }),
            )?;
        } else {
            output.line(
                "No set-up is stored. Put them into one, or into [folders] of the configuration:",
            )?;
            let change = format!(
                "setup --queue '{}' --storage '{}'",
                queue.path, storage.path
            );
            let command = format!("  {}", words::command(&change));
            output.line(output.style().command(&command))?;
        }
        return Ok(Exit::Done);
    };
    let changes = [
        SetupChange::QueueFolder(Some(queue.selector())),
        SetupChange::StorageFolder(Some(storage.selector())),
    ];
    let administration = installation.administration(false, None)?;
    let before = installation.stored_secrets().await?;
    let done = administration
        .change(&installation.scope, None, &changes)
        .await?;
    tell(installation, &before, &done.consequences, output).await?;
    if !output.json() {
        let missing = missing(installation, &done.stored.setup).await?;
        show::tell_next(&done.stored, &missing, output)?;
    }
    Ok(Exit::Done)
}

/// `folders --pick`.
pub(super) async fn pick(
    installation: Option<&Installation>,
    source: Arc<dyn MailFolders>,
    output: &Output,
) -> Result<Exit, Failure> {
    let browser = |root| FolderBrowser::new(Arc::clone(&source), root);
    let mut picker = Picker {
        browsers: [
            browser(FolderRoot::PublicFolders),
            browser(FolderRoot::Mailbox),
        ],
        here: None,
        queue: None,
        storage: None,
    };
    output.note("A number opens a folder. `q 2` takes folder 2 as the queue, `s 3` takes folder 3 as the storage folder.");
    output.note("`u` goes up, `x` leaves without a change. It ends when both are chosen.");
    loop {
        let folders = match picker.list().await {
            Ok(folders) => folders,
            // A level that cannot be seen ends nothing: the person goes elsewhere.
            Err(error) => {
                output.note(safe::text(&exit::what(&error, None)));
                Vec::new()
            }
        };
        picker.show(&folders, output);
        match read_line()? {
            Some(line) if line != "x" => {
                if let Some(told) = picker.follow(&line, &folders) {
                    output.note(told);
                }
            }
            _ => {
                output.note("Nothing was changed.");
                return Ok(Exit::Failed);
            }
        }
        if picker.queue.is_some() && picker.storage.is_some() {
            let (queue, storage) = (picker.queue.take(), picker.storage.take());
            if let (Some(queue), Some(storage)) = (queue, storage) {
                return keep(installation, queue, storage, output).await;
            }
        }
    }
}

/// Where a person is, and what was chosen so far.
struct Picker {
    browsers: [FolderBrowser; 2],
    /// Which of the trees, and the path in it; `None` before one was opened.
    here: Option<(usize, FolderPath)>,
    queue: Option<Chosen>,
    storage: Option<Chosen>,
}

/// The trees by name, as they are numbered.
const TREES: [&str; 2] = ["Public folders", "Mailbox"];

impl Picker {
    /// The folders of this level; the server is asked when it is seen for the first time.
    async fn list(&mut self) -> Result<Vec<Folder>, Error> {
        let Some((tree, path)) = &self.here else {
            return Ok(Vec::new());
        };
        match self.browsers.get_mut(*tree) {
            Some(browser) => Ok(browser.expand(path).await?.folders.to_vec()),
            None => Ok(Vec::new()),
        }
    }

    fn show(&self, folders: &[Folder], output: &Output) {
        output.note("");
        let Some((tree, path)) = &self.here else {
            for (row, name) in TREES.iter().enumerate() {
                output.note(format!("{:>4}  {name}", row + 1));
            }
            return;
        };
        let title = match path.segments() {
            [] => TREES.get(*tree).copied().unwrap_or_default().to_owned(),
            _ => path.to_string(),
        };
        output.note(output.style().strong(&safe::text(&title)));
        for (row, folder) in folders.iter().enumerate() {
            let below = match folder.child_folders {
                Some(0) | None => String::new(),
                Some(count) => format!(
                    "  ({} below)",
                    words::count(count.into(), "folder", "folders")
                ),
            };
            let name = safe::fit(folder.name.as_deref().unwrap_or("(no name)"), 60);
            output.note(format!("{:>4}  {name}{below}", row + 1));
        }
        if folders.is_empty() {
            output.note("      no mail folder here");
        }
    }

    /// Does what was typed; answers what there is to say.
    fn follow(&mut self, line: &str, folders: &[Folder]) -> Option<String> {
        let (word, number) = match line.split_once(' ') {
            Some((word, number)) => (word, number.trim()),
            None if line == "u" => {
                self.up();
                return None;
            }
            None => ("", line),
        };
        let row = number
            .parse::<usize>()
            .ok()
            .and_then(|number| number.checked_sub(1));
        let Some((tree, here)) = &self.here else {
            let tree = row.filter(|row| word.is_empty() && *row < TREES.len());
            let opened = tree.map(|tree| (tree, self.browsers[tree].root().clone()));
            let told = opened.is_none().then(|| "Type 1 or 2, or x.".to_owned());
            self.here = opened;
            return told;
        };
        let Some(folder) = row.and_then(|row| folders.get(row)).cloned() else {
            return Some(
                "Type the number of a folder, `q` or `s` and a number, `u` or `x`.".into(),
            );
        };
        let path = path_of(here, &folder);
        let chosen = Chosen { folder, path };
        let said = |as_what: &str, chosen: &Chosen| {
            Some(format!(
                "{} is {as_what}.",
                safe::text(&chosen.path.to_string())
            ))
        };
        match word {
            "" => self.here = Some((*tree, chosen.path)),
            "q" => {
                let told = said("the queue", &chosen);
                self.queue = Some(chosen);
                return told;
            }
            "s" => {
                let told = said("the storage folder", &chosen);
                self.storage = Some(chosen);
                return told;
            }
            _ => return Some("Only q and s take a number.".into()),
        }
        None
    }

    fn up(&mut self) {
        self.here = self.here.take().and_then(|(tree, path)| {
            let (_, above) = path.segments().split_last()?;
            Some((tree, FolderPath::new(path.root().clone(), above.to_vec())))
        });
    }
}

fn path_of(parent: &FolderPath, folder: &Folder) -> FolderPath {
    if let Some(path) = &folder.path {
        return path.clone();
    }
    let mut segments = parent.segments().to_vec();
    segments.extend(folder.name.clone());
    FolderPath::new(parent.root().clone(), segments)
}

/// A line of standard input; none at its end.
fn read_line() -> Result<Option<String>, Failure> {
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    let read = read.map_err(|error| Failure::input("standard input cannot be read", &error))?;
    Ok((read > 0).then(|| line.trim().to_lowercase()))
}
