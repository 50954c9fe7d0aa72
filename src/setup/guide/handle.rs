//! What an event changes and asks for. Guards judge whether one may go on.

use secrecy::{ExposeSecret, SecretString};

use super::guards::require;
use super::{
    AssistedSetup, ClientSecret, FolderVariant, FoldersPage, GuideAnswer, GuideCheck, GuideEvent,
    GuideOutcome, GuideReason, GuideRequest, GuideStatus, GuideStep, GuideTicket, default_folders,
};
use crate::setup::provisioning::check_redirect_url;
use crate::setup::{AuthenticationType, MailService, ServiceAddress};
use crate::source::{FolderId, FolderPath};

/// The characters of an interaction template's code.
const TEMPLATE_CODE: usize = 10;

type Handled = Result<Vec<GuideRequest>, GuideReason>;

impl AssistedSetup {
    /// Takes an event in and says what the host has to do. A refused event changes nothing; an answer to an older
    /// question is no error and changes nothing either.
    ///
    /// # Errors
    ///
    /// The reason why the event is refused.
    pub fn handle(&mut self, event: GuideEvent) -> Result<Vec<GuideRequest>, GuideReason> {
        match event {
            GuideEvent::Close => self.close(),
            GuideEvent::CloseConfirmed(leave) => self.close_confirmed(leave),
            GuideEvent::Stored { ticket, answer } => Ok(self.stored_by_host(ticket, answer)),
            GuideEvent::SignedIn { ticket, outcome } => Ok(self.signed_in(ticket, outcome)),
            GuideEvent::LoginChecked { ticket, answer } => {
                Ok(answered(&mut self.sign_in.login, ticket, answer))
            }
            GuideEvent::ConnectionChecked { ticket, answer } => {
                Ok(answered(&mut self.connection, ticket, answer))
            }
            GuideEvent::FoldersFound {
                ticket,
                queue,
                storage,
            } => Ok(self.folders_found(ticket, queue, storage)),
            GuideEvent::Validated { ticket, answer } => {
                Ok(answered(&mut self.validation, ticket, answer))
            }
            other => {
                self.open()?;
                self.person(other)
            }
        }
    }

    /// What a person does while it is open.
    fn person(&mut self, event: GuideEvent) -> Handled {
        match event {
            GuideEvent::Next => self.next(),
            GuideEvent::Back => self.back(),
            GuideEvent::Finish => self.finish(),
            GuideEvent::ChooseTemplate { code, exists } => {
                self.last.template = code.filter(|code| !code.trim().is_empty());
                let short = |code: &String| code.chars().count() <= TEMPLATE_CODE;
                self.last.template_exists =
                    exists && self.last.template.as_ref().is_some_and(short);
                Ok(Vec::new())
            }
            other => {
                let page = page_of(&other);
                let here = page.is_none_or(|page| page == self.step);
                require(here, GuideReason::OtherStep)?;
                self.on_page(other)
            }
        }
    }

    fn on_page(&mut self, event: GuideEvent) -> Handled {
        match event {
            GuideEvent::OpenHelp => {
                self.intro.help_opened = true;
                Ok(vec![GuideRequest::OpenHelp])
            }
            GuideEvent::ManualSetupDone(done) => {
                require(self.intro.help_opened, GuideReason::HelpNotOpened)?;
                self.intro.prepared = done;
                Ok(Vec::new())
            }
            GuideEvent::ShowPlan => self.show_plan(),
            GuideEvent::ChooseAuthentication(how) => self.choose_authentication(how),
            GuideEvent::ChooseService(service) => self.choose_service(service),
            GuideEvent::EnterClient {
                client_id,
                secret,
                redirect_url,
            } => self.enter_client(&client_id, secret, redirect_url),
            GuideEvent::SignIn => {
                let ticket = self.ticket();
                self.sign_in.consent = GuideCheck::Running(ticket);
                let setup = self.setup_so_far();
                Ok(vec![GuideRequest::AskConsent { ticket, setup }])
            }
            GuideEvent::EnterLogin {
                user_name,
                password,
            } => self.enter_login(&user_name, password),
            GuideEvent::EnterAddress(address) => {
                self.enter_address(address);
                Ok(Vec::new())
            }
            GuideEvent::EnterServiceUrl(text) => self.enter_service_url(&text),
            GuideEvent::CheckConnection => self.check_connection(),
            GuideEvent::RulesDone(done) => {
                self.rules_confirmed = done;
                Ok(Vec::new())
            }
            GuideEvent::Validate => Ok(vec![self.validate()]),
            GuideEvent::ScheduleJob(schedule) => {
                self.last.schedule_job = schedule;
                Ok(Vec::new())
            }
            other => self.on_folders(other),
        }
    }

    fn on_folders(&mut self, event: GuideEvent) -> Handled {
        match event {
            GuideEvent::ChooseVariant(variant) => {
                self.fits(variant)?;
                if variant != self.folders.variant {
                    self.folders = FoldersPage::new(variant);
                    self.rules_confirmed = false;
                }
                self.folders_changed();
            }
            GuideEvent::UseDefaultFolders(default) => {
                self.folders.default = default;
                if default {
                    let [queue, storage] = default_folders(self.folders.variant);
                    self.queue_becomes(queue);
                    self.folders.storage = storage;
                    self.folders_changed();
                }
            }
            GuideEvent::ChooseQueue(path) => {
                require(!self.folders.default, GuideReason::DefaultFolders)?;
                self.of_this_kind(&path)?;
                self.queue_becomes(path);
                self.folders_changed();
            }
            GuideEvent::ChooseStorage(path) => {
                require(!self.folders.default, GuideReason::DefaultFolders)?;
                self.of_this_kind(&path)?;
                self.folders.storage = path;
                self.folders_changed();
            }
            GuideEvent::LookUpFolders => return self.ask_for_folders(false),
            GuideEvent::CreateFolders => return self.ask_for_folders(true),
            _ => return Err(GuideReason::OtherStep),
        }
        Ok(Vec::new())
    }

    fn next(&mut self) -> Handled {
        self.can_next()?;
        self.turn(1);
        Ok(Vec::new())
    }

    fn back(&mut self) -> Handled {
        self.can_back()?;
        self.turn(-1);
        Ok(Vec::new())
    }

    fn turn(&mut self, by: isize) {
        let steps = self.steps();
        let here = steps.iter().position(|step| *step == self.step);
        let there = here.and_then(|at| at.checked_add_signed(by));
        if let Some(step) = there.and_then(|at| steps.get(at)) {
            self.step = *step;
        }
    }

    fn show_plan(&mut self) -> Handled {
        match self.step {
            GuideStep::Intro => self.intro.prepared = true,
            GuideStep::MailFlowRules => self.rules_confirmed = true,
            _ => return Err(GuideReason::OtherStep),
        }
        Ok(vec![GuideRequest::ShowPlan {
            variant: self.folders.variant,
            address: self.entered_address(),
            queue: self.folders.queue.clone(),
            storage: self.folders.storage.clone(),
        }])
    }

    fn choose_authentication(&mut self, how: AuthenticationType) -> Handled {
        let password_online = self.options.online && how == AuthenticationType::Basic;
        require(!password_online, GuideReason::AuthenticationNotAllowed)?;
        if how != self.authentication {
            self.authentication = how;
            self.sign_in.consent = GuideCheck::NotRun;
            self.sign_in.login = GuideCheck::NotRun;
            self.sign_in.tenant_id = None;
            self.connection_changed();
        }
        Ok(Vec::new())
    }

    /// Another service has other permissions, and so another consent. Microsoft Graph has no public folders.
    fn choose_service(&mut self, service: MailService) -> Handled {
        require(self.may_choose(service), GuideReason::ServiceNotAllowed)?;
        if service != self.service {
            self.service = service;
            self.sign_in.consent = GuideCheck::NotRun;
            self.sign_in.tenant_id = None;
            self.intro.prepared = false;
            if self.fits(self.folders.variant).is_err() {
                self.folders = FoldersPage::new(FolderVariant::SharedMailbox);
                self.rules_confirmed = false;
            }
            self.connection_changed();
        }
        Ok(Vec::new())
    }

    /// A changed client id forgets the tenant and the consent.
    fn enter_client(
        &mut self,
        client_id: &str,
        secret: ClientSecret,
        redirect_url: Option<String>,
    ) -> Handled {
        let client_id = client_id.trim().to_owned();
        require(!client_id.is_empty(), GuideReason::ClientIdMissing)?;
        require(
            client_id.chars().count() <= 250,
            GuideReason::ClientIdTooLong,
        )?;
        let redirect_url = redirect_url.filter(|url| !url.trim().is_empty());
        let redirect_url = redirect_url.or_else(|| self.options.redirect_url.clone());
        let usable = redirect_url
            .as_deref()
            .is_none_or(|url| check_redirect_url(url).is_ok());
        require(usable, GuideReason::RedirectUrlInvalid)?;
        let mut requests = Vec::new();
        if let ClientSecret::Given(secret) = secret {
            require(
                !secret.expose_secret().is_empty(),
                GuideReason::ClientSecretMissing,
            )?;
            let client_id = client_id.clone();
            requests.push(GuideRequest::StoreClientSecret { client_id, secret });
        }
        self.sign_in.client_id = Some(client_id);
        self.sign_in.secret_given = true;
        self.sign_in.redirect_url = redirect_url;
        self.sign_in.tenant_id = None;
        self.sign_in.consent = GuideCheck::NotRun;
        self.connection_changed();
        Ok(requests)
    }

    fn signed_in(
        &mut self,
        ticket: GuideTicket,
        outcome: Result<Option<String>, String>,
    ) -> Vec<GuideRequest> {
        if self.sign_in.consent == GuideCheck::Running(ticket) {
            let (tenant_id, check) = match outcome {
                Ok(tenant_id) => (tenant_id, GuideCheck::Passed),
                Err(code) => (None, GuideCheck::Failed(code)),
            };
            self.sign_in.tenant_id = tenant_id;
            self.sign_in.consent = check;
            self.connection_changed();
        }
        Vec::new()
    }

    fn enter_login(&mut self, user_name: &str, password: SecretString) -> Handled {
        let user_name = user_name.trim().to_owned();
        require(!user_name.is_empty(), GuideReason::UserNameMissing)?;
        require(
            user_name.chars().count() <= 250,
            GuideReason::UserNameTooLong,
        )?;
        require(
            !password.expose_secret().is_empty(),
            GuideReason::PasswordMissing,
        )?;
        let ticket = self.ticket();
        self.sign_in.user_name = Some(user_name.clone());
        self.sign_in.login = GuideCheck::Running(ticket);
        self.connection_changed();
        Ok(vec![GuideRequest::CheckLogin {
            ticket,
            user_name,
            password,
        }])
    }

    fn enter_address(&mut self, address: String) {
        if address != self.address {
            self.address = address;
            if self.folders.variant == FolderVariant::SharedMailbox {
                self.rules_confirmed = false;
            }
            self.connection_changed();
        }
    }

    fn enter_service_url(&mut self, text: &str) -> Handled {
        let text = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let usable = text.as_deref().is_none_or(|text| {
            let parsed = ServiceAddress::parse(text);
            let own = parsed.is_ok_and(|address| !address.is_exchange_online());
            own && !self.options.online && text.chars().count() <= 250
        });
        require(usable, GuideReason::ServiceUrlInvalid)?;
        if text != self.service_url {
            self.service_url = text;
            self.connection_changed();
        }
        Ok(Vec::new())
    }

    /// The mail flow rules name the queue: those for another one are to be confirmed again.
    fn queue_becomes(&mut self, path: FolderPath) {
        if path != self.folders.queue {
            self.folders.queue = path;
            self.rules_confirmed = false;
        }
    }

    fn check_connection(&mut self) -> Handled {
        self.address_entered()?;
        let ticket = self.ticket();
        self.connection = GuideCheck::Running(ticket);
        let setup = self.setup_so_far();
        Ok(vec![GuideRequest::CheckConnection { ticket, setup }])
    }

    fn ask_for_folders(&mut self, create: bool) -> Handled {
        self.folders_chosen()?;
        let ticket = self.ticket();
        self.folders_changed();
        self.folders.check = GuideCheck::Running(ticket);
        let (queue, storage) = (self.folders.queue.clone(), self.folders.storage.clone());
        Ok(vec![if create {
            GuideRequest::CreateFolders {
                ticket,
                queue,
                storage,
            }
        } else {
            GuideRequest::LookUpFolders {
                ticket,
                queue,
                storage,
            }
        }])
    }

    /// Two paths can lead to one folder; its id tells.
    fn folders_found(
        &mut self,
        ticket: GuideTicket,
        queue: Option<FolderId>,
        storage: Option<FolderId>,
    ) -> Vec<GuideRequest> {
        if self.folders.check != GuideCheck::Running(ticket) {
            return Vec::new();
        }
        self.folders.check = match (&queue, &storage) {
            (Some(queue), Some(storage)) if queue == storage => {
                GuideCheck::Failed(GuideReason::QueueEqualsStorage.code().to_owned())
            }
            (Some(_), Some(_)) => GuideCheck::Passed,
            _ => GuideCheck::Failed(GuideReason::FoldersMissing.code().to_owned()),
        };
        self.folders.queue_id = queue;
        self.folders.storage_id = storage;
        Vec::new()
    }

    fn validate(&mut self) -> GuideRequest {
        let ticket = self.ticket();
        self.validation = GuideCheck::Running(ticket);
        let setup = self.setup_so_far();
        GuideRequest::Validate { ticket, setup }
    }

    fn finish(&mut self) -> Handled {
        self.can_finish()?;
        let ticket = self.ticket();
        self.status = GuideStatus::Finishing;
        self.last.stored = GuideCheck::Running(ticket);
        Ok(vec![self.ask_to_finish(ticket)])
    }

    fn ask_to_finish(&self, ticket: GuideTicket) -> GuideRequest {
        let outcome = GuideOutcome {
            setup: self.setup(),
            schedule_job: self.last.schedule_job,
        };
        let outcome = Box::new(outcome);
        GuideRequest::Finish { ticket, outcome }
    }

    /// What still waits for an answer that no event of a person asks for again: to finish, and to confirm leaving.
    ///
    /// For a guide that was stored and is opened again, whose host ended before it answered. The ticket is the same, so that
    /// a late answer counts. Secrets are not handed out again: where the host has lost those that it kept, answer
    /// [`GuideAnswer::Failed`], go back and enter them again.
    pub fn resume(&self) -> Option<GuideRequest> {
        match (self.status, &self.last.stored) {
            (GuideStatus::Finishing, GuideCheck::Running(ticket)) => {
                Some(self.ask_to_finish(*ticket))
            }
            (GuideStatus::Closing, _) => Some(GuideRequest::ConfirmClose),
            _ => None,
        }
    }

    fn stored_by_host(&mut self, ticket: GuideTicket, answer: GuideAnswer) -> Vec<GuideRequest> {
        if self.last.stored != GuideCheck::Running(ticket) {
            return Vec::new();
        }
        let passed = answer == GuideAnswer::Passed;
        answered(&mut self.last.stored, ticket, answer);
        if passed {
            self.status = GuideStatus::Completed;
            vec![GuideRequest::Closed { completed: true }]
        } else {
            self.status = GuideStatus::Open;
            Vec::new()
        }
    }

    /// Leaving early is asked about; after the end there is nothing to lose.
    fn close(&mut self) -> Handled {
        match self.status {
            GuideStatus::Open | GuideStatus::Closing => {
                self.status = GuideStatus::Closing;
                Ok(vec![GuideRequest::ConfirmClose])
            }
            GuideStatus::Finishing => Err(GuideReason::Waiting),
            GuideStatus::Completed => Ok(vec![GuideRequest::Closed { completed: true }]),
            GuideStatus::NotCompleted => Ok(vec![GuideRequest::Closed { completed: false }]),
        }
    }

    fn close_confirmed(&mut self, leave: bool) -> Handled {
        require(self.status == GuideStatus::Closing, GuideReason::OtherStep)?;
        if leave {
            self.status = GuideStatus::NotCompleted;
            Ok(vec![GuideRequest::Closed { completed: false }])
        } else {
            self.status = GuideStatus::Open;
            Ok(Vec::new())
        }
    }

    /// Who signs in, or where, has changed: what was found there counts no more.
    fn connection_changed(&mut self) {
        self.connection = GuideCheck::NotRun;
        self.folders_changed();
    }

    fn folders_changed(&mut self) {
        self.folders.check = GuideCheck::NotRun;
        self.folders.queue_id = None;
        self.folders.storage_id = None;
        self.validation = GuideCheck::NotRun;
    }

    fn ticket(&mut self) -> GuideTicket {
        self.tickets += 1;
        self.tickets
    }
}

/// The page that an event belongs to; `None` for one that says so itself.
fn page_of(event: &GuideEvent) -> Option<GuideStep> {
    Some(match event {
        GuideEvent::OpenHelp
        | GuideEvent::ManualSetupDone(_)
        | GuideEvent::ChooseAuthentication(_)
        | GuideEvent::ChooseService(_) => GuideStep::Intro,
        GuideEvent::EnterClient { .. } => GuideStep::Client,
        GuideEvent::SignIn => GuideStep::SignIn,
        GuideEvent::EnterLogin { .. } => GuideStep::LoginPass,
        GuideEvent::EnterAddress(_)
        | GuideEvent::EnterServiceUrl(_)
        | GuideEvent::CheckConnection => GuideStep::Mailbox,
        GuideEvent::ChooseVariant(_)
        | GuideEvent::UseDefaultFolders(_)
        | GuideEvent::ChooseQueue(_)
        | GuideEvent::ChooseStorage(_)
        | GuideEvent::LookUpFolders
        | GuideEvent::CreateFolders => GuideStep::Folders,
        GuideEvent::RulesDone(_) => GuideStep::MailFlowRules,
        GuideEvent::Validate => GuideStep::Validation,
        GuideEvent::ScheduleJob(_) => GuideStep::Done,
        _ => return None,
    })
}

/// Takes the answer to the question that is open.
fn answered(check: &mut GuideCheck, ticket: GuideTicket, answer: GuideAnswer) -> Vec<GuideRequest> {
    if *check == GuideCheck::Running(ticket) {
        *check = match answer {
            GuideAnswer::Passed => GuideCheck::Passed,
            GuideAnswer::Failed(code) => GuideCheck::Failed(code),
        };
    }
    Vec::new()
}
