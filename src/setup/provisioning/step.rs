//! One step of a plan. Knows nothing of what the steps are.

use super::quote::quoted;

/// One thing that has to be true in Exchange, with the PowerShell that finds it out, brings it about and takes it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisioningStep {
    id: String,
    title: &'static str,
    why: &'static str,
    delay: Option<&'static str>,
    check: String,
    change: String,
    undo: Option<String>,
}

impl ProvisioningStep {
    pub(super) fn new(id: impl Into<String>, title: &'static str, why: &'static str) -> Self {
        Self {
            id: id.into(),
            title,
            why,
            delay: None,
            check: String::new(),
            change: String::new(),
            undo: None,
        }
    }

    /// An expression that is true once the step is done.
    pub(super) fn with_check(mut self, check: impl Into<String>) -> Self {
        self.check = check.into();
        self
    }

    /// Statements that bring it about where the check is false.
    pub(super) fn with_change(mut self, change: impl Into<String>) -> Self {
        self.change = change.into();
        self
    }

    /// Takes back with `change` where the pipeline `found` gives something.
    pub(super) fn with_undo(self, found: &str, change: &str) -> Self {
        let undo = format!("if ({found}) {{\n{}}}\n", indented(change));
        self.with_undo_script(undo)
    }

    pub(super) fn with_undo_script(mut self, undo: impl Into<String>) -> Self {
        self.undo = Some(undo.into());
        self
    }

    pub(super) fn with_delay(mut self, delay: &'static str) -> Self {
        self.delay = Some(delay);
        self
    }

    /// The stable id; that of a folder step ends in the folder's path.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What is brought about.
    pub fn title(&self) -> &'static str {
        self.title
    }

    /// What it is needed for.
    pub fn why(&self) -> &'static str {
        self.why
    }

    /// How long it may take to have an effect, where it takes long.
    pub fn delay(&self) -> Option<&'static str> {
        self.delay
    }

    /// The script that gives `True` or `False`: whether the step is done. It changes nothing.
    pub fn check(&self) -> &str {
        &self.check
    }

    /// The script that does the step, unless its check says that it is done.
    pub fn apply(&self) -> String {
        let change = indented(&self.change);
        format!("if (-not ({})) {{\n{change}}}\n", self.check)
    }

    /// The script that takes the step back, where that is possible. It never deletes mail.
    pub fn undo(&self) -> Option<&str> {
        self.undo.as_deref()
    }

    pub(super) fn report(&self) -> String {
        let line = |word| format!("Write-Output {}", quoted(&format!("{}: {word}", self.id)));
        format!(
            "if ({}) {{\n    {}\n}} else {{\n    {}\n}}\n",
            self.check,
            line("True"),
            line("False")
        )
    }
}

/// The lines, each four blanks further to the right. No name in a plan holds a line break.
pub(super) fn indented(lines: &str) -> String {
    let parts = lines.lines().flat_map(|line| ["    ", line, "\n"]);
    parts.collect()
}
