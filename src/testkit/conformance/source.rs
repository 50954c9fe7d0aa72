//! The contract of a mail source: order, one answer per item, bytes as they are, and moves that lose nothing.

mod bench;
mod fetch;
mod folders;
mod list;
mod moves;
mod recorder;
mod stamps;

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use self::bench::Bench;
use super::Report;
use super::harness::{self, Case, cases};
use crate::error::Result;
use crate::source::{FolderPath, ItemRef, MailFolders, MailSource};

/// A fresh mail system with a source on it, as each case wants one: an empty queue and an empty storage folder.
///
/// What the mail system cannot do answers `Unsupported`; the cases that need it are skipped.
#[async_trait]
pub trait SourceFixture: Debug + Send + Sync {
    /// The source.
    fn source(&self) -> Arc<dyn MailSource>;

    /// Its folders, where it can look around.
    fn folders(&self) -> Option<Arc<dyn MailFolders>> {
        None
    }

    /// The queue, which exists.
    fn queue(&self) -> FolderPath;

    /// The storage folder, which exists beside the queue.
    fn storage(&self) -> FolderPath;

    /// A folder beside them that does not exist.
    fn missing(&self) -> FolderPath;

    /// Delivers a mail to the queue, later than all that were delivered before.
    ///
    /// # Errors
    ///
    /// `Unsupported` for bytes that the mail system cannot hold; any other error fails the case.
    async fn deliver(&self, original: Vec<u8>) -> Result<()>;

    /// Takes an item out of its folder, as a person would.
    ///
    /// # Errors
    ///
    /// Any error but `Unsupported` fails the case.
    async fn take_away(&self, item: &ItemRef) -> Result<()>;

    /// Copies an item, as a person would.
    ///
    /// # Errors
    ///
    /// Any error but `Unsupported` fails the case.
    async fn copy(&self, item: &ItemRef, to: &FolderPath) -> Result<()>;

    /// The originals in a folder, in any order, seen without the source.
    ///
    /// # Errors
    ///
    /// Any error fails the case.
    async fn contents(&self, folder: &FolderPath) -> Result<Vec<Vec<u8>>>;

    /// How many requests the mail system has seen, where that can be counted.
    fn requests(&self) -> Option<u64> {
        None
    }
}

/// Checks a source. `make` answers a fresh mail system for every case.
#[allow(clippy::future_not_send)] // whether it is Send is the maker's to say
pub async fn run<Make, Making, Fixture>(make: Make) -> Report
where
    Make: Fn() -> Making,
    Making: Future<Output = Fixture>,
    Fixture: SourceFixture + 'static,
{
    let make = || async { Bench::new(make().await) };
    harness::run("mail source", list(), make).await
}

fn list() -> Vec<Case<Bench>> {
    cases! {
        folders::{
            a_folder_is_opened_by_its_path,
            a_missing_folder_is_not_found,
            a_folder_is_opened_by_its_id_without_a_request,
            folders_below_are_listed_page_by_page,
            a_folder_is_created_once,
        }
        list::{
            an_empty_folder_has_a_complete_listing,
            items_are_listed_oldest_first,
            pages_are_bounded_and_the_last_is_complete,
            every_item_has_a_key_of_its_own,
            a_size_that_is_told_is_not_0,
        }
        fetch::{
            originals_are_fetched_bit_for_bit,
            an_empty_mail_is_fetched,
            a_large_mail_comes_in_several_chunks,
            answers_come_in_the_order_of_the_question,
            an_item_that_is_gone_is_its_own_answer,
            an_error_of_the_sink_ends_the_fetch,
            an_empty_question_has_no_answer,
            reading_changes_nothing,
        }
        moves::{
            a_moved_mail_is_in_the_target_and_nowhere_else,
            a_moved_mail_is_found_by_its_key,
            the_old_place_of_a_moved_mail_is_gone,
            the_move_of_a_missing_item_is_its_own_answer,
            every_copy_is_located,
            a_mail_is_located_whatever_id_it_was_last_seen_under,
            removed_mail_is_in_no_folder,
            what_a_source_cannot_do_it_says,
        }
        stamps::{
            a_stamped_item_is_listed_under_its_stamp,
            a_stamp_survives_the_move_and_is_located,
            a_stamp_leaves_the_original_and_its_place,
            the_stamp_of_a_missing_item_is_its_own_answer,
            a_source_that_gives_no_stamps_says_so,
        }
    }
}
