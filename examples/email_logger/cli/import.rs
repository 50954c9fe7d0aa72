//! The command line of `import`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use email_logging::source::files::{FileFormat, MboxQuoting};

#[derive(Debug, Args)]
#[command(
    after_help = "Old mail is logged with its own dates, and without events: it is no news to anybody. It can be stopped and \
                  called again at any time: what is in the log is passed over, and nothing is logged twice. The files stay as \
                  they are, but with --move-to.\n\n\
                  It ends with 1 where mail is left that could not be read or moved; the next import tries it again."
)]
pub(crate) struct ImportArgs {
    /// A directory of .eml files, a file with one mail, an mbox file, or a Maildir.
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// How the mail is kept there.
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    pub(crate) format: Format,
    /// How lines that begin with "From " are quoted in an mbox file; mboxcl is read with rd or o, mboxcl2 with none.
    #[arg(long, value_enum, default_value_t = Quoting::Rd)]
    pub(crate) mbox_quoting: Quoting,
    /// Directories below as well; of a Maildir, its folders.
    #[arg(long, short)]
    pub(crate) recursive: bool,
    /// Move each file to this directory once its mail is in the log, of a Maildir to this Maildir. Nothing is overwritten.
    #[arg(long, value_name = "DIR")]
    pub(crate) move_to: Option<PathBuf>,
    /// Say what would be done; write and move nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The file of the log.
    #[arg(long, value_name = "PATH")]
    pub(crate) store: Option<PathBuf>,
    /// The file of salespeople and contacts.
    #[arg(long, value_name = "FILE")]
    pub(crate) directory: Option<PathBuf>,
    /// Take at most this many mails; 0 is no limit.
    #[arg(long, value_name = "COUNT")]
    pub(crate) batch_size: Option<u32>,
}

/// How mail is kept in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// As the place looks.
    Auto,
    /// Files that end with .eml, or one file.
    Eml,
    /// One file of mails.
    Mbox,
    /// A directory with cur and new.
    Maildir,
}

impl Format {
    /// The format that is named.
    pub(crate) fn named(self) -> Option<FileFormat> {
        match self {
            Self::Auto => None,
            Self::Eml => Some(FileFormat::Eml),
            Self::Mbox => Some(FileFormat::Mbox),
            Self::Maildir => Some(FileFormat::Maildir),
        }
    }
}

/// How an mbox file is quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Quoting {
    /// mboxrd: each quoted line has one more >.
    Rd,
    /// mboxo: only From itself is quoted.
    O,
    /// Nothing is quoted.
    None,
}

impl From<Quoting> for MboxQuoting {
    fn from(quoting: Quoting) -> Self {
        match quoting {
            Quoting::Rd => Self::Rd,
            Quoting::O => Self::O,
            Quoting::None => Self::None,
        }
    }
}
