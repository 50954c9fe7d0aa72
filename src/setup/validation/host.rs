//! The host's own side: its template, its directory, its scheduler.

use super::checks::Check;
use super::context::{Context, Judged, depends_on, ended, not_checked};
use super::findings;
use super::result::{CheckResult, NotChecked};
use crate::directory::{DirectoryAudit, RecordProblem};
use crate::error::Result;
use crate::scope::Scope;

/// Records that a result names at most; more of them help nobody.
const MOST_RECORDS: usize = 1_000;

impl Context {
    pub(super) fn interaction_template(&self) -> CheckResult {
        let check = Check::InteractionTemplate;
        match self.template() {
            Some(_) => CheckResult::passed(check),
            None => CheckResult::failed(check, &findings::TEMPLATE_MISSING),
        }
    }

    pub(super) async fn interaction_template_exists(&self) -> Judged {
        let check = Check::InteractionTemplateExists;
        let code = self.template();
        let code = code.ok_or_else(|| depends_on(check, Check::InteractionTemplate))?;
        let templates = self.validator.templates.as_ref();
        let templates = templates.ok_or_else(|| not_checked(check, NotChecked::NoRole))?;
        let exists = templates.exists(&self.scope, code).await;
        Ok(if exists.map_err(ended(check))? {
            CheckResult::passed(check)
        } else {
            CheckResult::failed(check, &findings::TEMPLATE_UNKNOWN)
        })
    }

    fn template(&self) -> Option<&str> {
        let code = self.setup.interaction_template_code.as_deref();
        code.map(str::trim).filter(|code| !code.is_empty())
    }

    /// A record that no mail matches hinders nothing else: it warns.
    pub(super) async fn directory_addresses(&self) -> Judged {
        let check = Check::DirectoryAddresses;
        let directory = self.validator.directory.as_ref();
        let directory = directory.ok_or_else(|| not_checked(check, NotChecked::NoRole))?;
        let (problems, complete) = problems(directory.as_ref(), &self.scope)
            .await
            .map_err(ended(check))?;
        if problems.is_empty() {
            return Ok(CheckResult::passed(check));
        }
        let more = if complete { "" } else { "more than " };
        let result = CheckResult::warning(check, &findings::DIRECTORY_ADDRESSES);
        let mut result = result.and(format!("{more}{}", problems.len()));
        result.records = problems;
        Ok(result)
    }

    pub(super) async fn job(&self) -> Judged {
        let check = Check::Job;
        if !self.setup.enabled {
            return Err(not_checked(check, NotChecked::NotEnabled));
        }
        let jobs = self.validator.jobs.as_ref();
        let jobs = jobs.ok_or_else(|| not_checked(check, NotChecked::NoRole))?;
        let state = jobs.state(&self.scope).await.map_err(ended(check))?;
        let Some(state) = state else {
            return Ok(CheckResult::failed(check, &findings::JOB_MISSING));
        };
        let failure = state.last_failure.as_ref().filter(|_| state.is_failing());
        let result = match failure {
            _ if state.is_overdue(self.began) => CheckResult::failed(check, &findings::JOB_OVERDUE),
            Some(_) => CheckResult::warning(check, &findings::JOB_FAILING),
            None => return Ok(CheckResult::passed(check)),
        };
        Ok(match failure {
            Some(failure) => result.and(&failure.code),
            None => result,
        })
    }
}

/// The problems up to the most that are told, and whether these are all.
async fn problems(
    directory: &dyn DirectoryAudit,
    scope: &Scope,
) -> Result<(Vec<RecordProblem>, bool)> {
    const PAGE: u32 = 200;
    let mut problems = Vec::new();
    let mut offset = 0;
    while problems.len() < MOST_RECORDS {
        let page = directory.audit(scope, offset, PAGE).await?;
        // A page that is empty and not the last one would be asked for for ever.
        let complete = page.complete || page.problems.is_empty();
        offset += u32::try_from(page.problems.len()).unwrap_or(PAGE);
        problems.extend(page.problems);
        if complete {
            let all = problems.len() <= MOST_RECORDS;
            problems.truncate(MOST_RECORDS);
            return Ok((problems, all));
        }
    }
    problems.truncate(MOST_RECORDS);
    Ok((problems, false))
}
