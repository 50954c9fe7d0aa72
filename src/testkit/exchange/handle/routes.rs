//! What a test does with the routing of public folders and with autodiscover.

use std::io;

use super::SimulatedExchange;
use crate::testkit::exchange::autodiscover::{AutodiscoverCall, AutodiscoverFault};
use crate::testkit::exchange::lock;
use crate::testkit::exchange::store::folder::Home;

impl SimulatedExchange {
    /// Moves the content of a public folder to the content mailbox of this number, as an administrator or Exchange's own
    /// balancing does: ids stay, requests to the old place no longer see it.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such public folder.
    pub fn move_content(&self, path: &str, content_mailbox: u32) -> io::Result<()> {
        self.change(path, |world, key| world.move_content(key, content_mailbox))
    }

    /// The address under which autodiscover knows the mailbox that holds the content of a public folder.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::NotFound`] when there is no such public folder.
    pub fn content_smtp_address(&self, path: &str) -> io::Result<String> {
        match self.look(path, |_, folder| folder.home)? {
            Home::Public { content_mailbox } => {
                Ok(self.service.routing.smtp_address(content_mailbox))
            }
            Home::Mailbox(_) => Err(super::missing("public folder")),
        }
    }

    /// The mailbox that autodiscover names for the public folders of everybody (`PublicFolderInformation`).
    pub fn information_address(&self) -> String {
        self.service.routing.information_address()
    }

    /// Lets autodiscover fail from now on, or work again.
    pub fn set_autodiscover_fault(&self, fault: Option<AutodiscoverFault>) {
        *lock(&self.service.autodiscover.fault) = fault;
    }

    /// Every question to autodiscover so far.
    pub fn autodiscover_calls(&self) -> Vec<AutodiscoverCall> {
        lock(&self.service.autodiscover.calls).clone()
    }
}
