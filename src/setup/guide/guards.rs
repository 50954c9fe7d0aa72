//! What keeps a person from going on. Reads the state and changes nothing.

use super::{
    AssistedSetup, EWS_ENDED, FolderVariant, GuideCheck, GuideReason, GuideStatus, GuideStep,
};
use crate::setup::MailService;
use crate::source::{FolderPath, FolderRoot};

type Guard = Result<(), GuideReason>;

impl AssistedSetup {
    /// Whether Next is enabled, or why not.
    ///
    /// # Errors
    ///
    /// The first thing that is missing on the page.
    pub fn can_next(&self) -> Result<(), GuideReason> {
        self.open()?;
        require(self.step != GuideStep::Done, GuideReason::NoLaterStep)?;
        self.page(self.step)
    }

    /// Whether Back is enabled, or why not.
    ///
    /// # Errors
    ///
    /// [`GuideReason::NoEarlierStep`] on the first page, [`GuideReason::Closed`] after the end.
    pub fn can_back(&self) -> Result<(), GuideReason> {
        self.open()?;
        require(self.step != GuideStep::Intro, GuideReason::NoEarlierStep)
    }

    /// Whether Finish is enabled, or why not. All pages are judged again, so that it is enabled the moment that the last
    /// thing is corrected.
    ///
    /// # Errors
    ///
    /// The first thing that is missing on any page.
    pub fn can_finish(&self) -> Result<(), GuideReason> {
        self.open()?;
        require(self.step == GuideStep::Done, GuideReason::NotAtTheEnd)?;
        self.steps()
            .into_iter()
            .try_for_each(|step| self.page(step))
    }

    pub(super) fn open(&self) -> Guard {
        match self.status {
            GuideStatus::Open => Ok(()),
            GuideStatus::Closing | GuideStatus::Finishing => Err(GuideReason::Waiting),
            GuideStatus::Completed | GuideStatus::NotCompleted => Err(GuideReason::Closed),
        }
    }

    fn page(&self, step: GuideStep) -> Guard {
        match step {
            GuideStep::Intro => require(self.intro.prepared, GuideReason::NotPrepared),
            GuideStep::Client => self.client_page(),
            GuideStep::SignIn => passed(
                &self.sign_in.consent,
                GuideReason::NotSignedIn,
                GuideReason::SignInFailed,
            ),
            GuideStep::LoginPass => self.login_page(),
            GuideStep::Mailbox => self.mailbox_page(),
            GuideStep::Folders => self.folders_page(),
            GuideStep::MailFlowRules => {
                require(self.rules_confirmed, GuideReason::RulesNotConfirmed)
            }
            GuideStep::Validation => passed(
                &self.validation,
                GuideReason::NotValidated,
                GuideReason::ValidationFailed,
            ),
            GuideStep::Done => self.last_page(),
        }
    }

    fn client_page(&self) -> Guard {
        require(
            self.sign_in.client_id.is_some(),
            GuideReason::ClientIdMissing,
        )?;
        require(self.sign_in.secret_given, GuideReason::ClientSecretMissing)
    }

    fn login_page(&self) -> Guard {
        require(
            self.sign_in.user_name.is_some(),
            GuideReason::UserNameMissing,
        )?;
        passed(
            &self.sign_in.login,
            GuideReason::PasswordMissing,
            GuideReason::LoginFailed,
        )
    }

    fn mailbox_page(&self) -> Guard {
        self.address_entered()?;
        passed(
            &self.connection,
            GuideReason::ConnectionNotChecked,
            GuideReason::ConnectionFailed,
        )
    }

    pub(super) fn address_entered(&self) -> Guard {
        let address = self.address.trim();
        require(!address.is_empty(), GuideReason::AddressMissing)?;
        let parts = address.split_once('@');
        let plain = address.chars().count() <= 250
            && !address
                .chars()
                .any(|one| one.is_whitespace() || one.is_control());
        let whole = parts.is_some_and(|(local, domain)| {
            let labels = domain.split('.');
            !local.is_empty() && labels.clone().count() > 1 && labels.clone().all(is_label)
        });
        require(plain && whole, GuideReason::AddressInvalid)
    }

    fn folders_page(&self) -> Guard {
        self.folders_chosen()?;
        passed(
            &self.folders.check,
            GuideReason::FoldersNotChecked,
            GuideReason::FoldersMissing,
        )
    }

    pub(super) fn folders_chosen(&self) -> Guard {
        let folders = &self.folders;
        let ended = self.options.online
            && folders.variant == FolderVariant::PublicFolders
            && self.options.opened_at >= EWS_ENDED;
        require(!ended, GuideReason::PublicFoldersEnded)?;
        let same = folded(&folders.queue) == folded(&folders.storage);
        require(!same, GuideReason::QueueEqualsStorage)
    }

    /// Whether the service that is chosen has folders of this kind.
    pub(super) fn fits(&self, variant: FolderVariant) -> Guard {
        let by_graph = self.service == MailService::Graph;
        let public = variant == FolderVariant::PublicFolders;
        require(!(by_graph && public), GuideReason::PublicFoldersByGraph)
    }

    fn last_page(&self) -> Guard {
        require(self.last.template.is_some(), GuideReason::TemplateMissing)?;
        require(self.last.template_exists, GuideReason::TemplateInvalid)
    }

    /// Whether a folder is of the kind that is set up.
    pub(super) fn of_this_kind(&self, path: &FolderPath) -> Guard {
        let public = path.root() == &FolderRoot::PublicFolders;
        let wanted = self.folders.variant == FolderVariant::PublicFolders;
        let usable = !public || !path.segments().is_empty();
        require(public == wanted && usable, GuideReason::FolderOfOtherKind)
    }
}

pub(super) fn require(holds: bool, reason: GuideReason) -> Guard {
    if holds { Ok(()) } else { Err(reason) }
}

fn passed(check: &GuideCheck, not_run: GuideReason, failed: GuideReason) -> Guard {
    match check {
        GuideCheck::Passed => Ok(()),
        GuideCheck::Running(_) => Err(GuideReason::Waiting),
        GuideCheck::NotRun => Err(not_run),
        GuideCheck::Failed(_) => Err(failed),
    }
}

fn is_label(label: &str) -> bool {
    !label.is_empty() && label.chars().all(|one| one.is_alphanumeric() || one == '-')
}

/// Exchange takes names that differ only in case for the same.
fn folded(path: &FolderPath) -> (&FolderRoot, Vec<String>) {
    let segments = path.segments().iter();
    (
        path.root(),
        segments.map(|segment| segment.to_lowercase()).collect(),
    )
}
