//! The contract of a store: ledger, log, second stage, events and set-up.

mod bench;
mod canceled;
mod commit;
mod contents;
mod conversation;
mod decided_again;
mod feed;
mod lease;
mod log;
mod moves;
pub mod opportunity;
mod outcomes;
mod paging;
pub mod privacy;
mod quiet;
mod reports;
pub mod review;
mod sample;
mod scope;
mod search;
mod unkeyed;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use self::bench::Bench;
use super::Report;
use super::harness::{self, Case, cases};
use crate::store::{InteractionStore, ReportingStore};
use crate::testkit::clock::ManualClock;

/// A fresh and empty store, as each case wants one.
pub struct StoreBackend {
    store: Arc<dyn InteractionStore>,
    reports: Option<Arc<dyn ReportingStore>>,
    clock: Option<ManualClock>,
    guard: Option<Box<dyn Any + Send + Sync>>,
}

impl StoreBackend {
    /// A store that was just made and migrated.
    pub fn new(store: impl InteractionStore) -> Self {
        Self {
            store: Arc::new(store),
            reports: None,
            clock: None,
            guard: None,
        }
    }

    /// A store that has the roles for reports as well, for [`run_reports`].
    pub fn reporting(store: impl InteractionStore + ReportingStore) -> Self {
        let store = Arc::new(store);
        let reports: Arc<dyn ReportingStore> = Arc::clone(&store) as _;
        Self {
            store,
            reports: Some(reports),
            clock: None,
            guard: None,
        }
    }

    /// The clock that the store takes its time from. Without it the cases that need time to pass are skipped.
    #[must_use]
    pub fn with_clock(mut self, clock: ManualClock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Something to keep until the case ends, such as a temporary directory.
    #[must_use]
    pub fn with_guard(mut self, guard: impl Any + Send + Sync) -> Self {
        self.guard = Some(Box::new(guard));
        self
    }
}

impl fmt::Debug for StoreBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreBackend")
            .field("store", &self.store)
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

/// Checks a store. `make` answers a fresh and empty one for every case.
#[allow(clippy::future_not_send)] // whether it is Send is the maker's to say
pub async fn run<Make, Making>(make: Make) -> Report
where
    Make: Fn() -> Making,
    Making: Future<Output = StoreBackend>,
{
    let make = || async { Bench::new(make().await) };
    harness::run("interaction store", list(), make).await
}

/// Checks the roles for reports of a store, [`ReportingStore`], and the filters that they share with the log. Without
/// [`StoreBackend::reporting`] most cases are skipped.
#[allow(clippy::future_not_send)] // whether it is Send is the maker's to say
pub async fn run_reports<Make, Making>(make: Make) -> Report
where
    Make: Fn() -> Making,
    Making: Future<Output = StoreBackend>,
{
    let make = || async { Bench::new(make().await) };
    harness::run("reports of a store", of_the_reports(), make).await
}

fn of_the_reports() -> Vec<Case<Bench>> {
    cases! {
        reports::{
            entries_are_filtered_by_opportunity_and_grade,
            entries_and_mails_are_counted,
            statistics_add_up_what_fits,
        }
        conversation::{
            a_conversation_is_the_same_in_either_order_of_arrival,
            a_stranger_who_reuses_ids_or_a_subject_is_not_joined,
            a_common_salesperson_joins_nobody,
            a_colleague_of_the_contact_is_joined_until_the_link_is_cancelled,
            entries_are_filtered_by_conversation,
            a_conversation_of_another_scope_is_not_found,
        }
        canceled::{
            only_what_is_cancelled_and_fits_is_deleted,
            a_preview_changes_nothing,
            an_original_goes_with_the_last_entry_that_uses_it,
            a_deleted_entry_is_never_written_again,
            another_contact_is_logged_after_a_deletion,
            a_deleted_mail_is_not_indexed_again,
            what_waits_for_the_hosts_log_is_not_deleted,
        }
    }
}

fn list() -> Vec<Case<Bench>> {
    [of_the_leases(), of_the_ledger(), of_the_log()]
        .into_iter()
        .flatten()
        .collect()
}

fn of_the_leases() -> Vec<Case<Bench>> {
    cases! {
        lease::{
            a_lease_is_exclusive,
            one_of_many_who_ask_at_once_gets_the_lease,
            taking_a_lease_raises_its_epoch,
            a_released_lease_is_free,
            an_expired_lease_can_be_taken,
            a_renewed_lease_lasts_longer,
            a_clock_that_is_set_back_makes_no_lease_longer,
            a_lease_may_have_no_end,
            a_stale_lease_commits_nothing,
            a_stale_lease_settles_and_delivers_nothing,
            a_stale_lease_gives_nothing_another_try,
            a_stale_lease_neither_stages_nor_renews_nor_releases,
        }
        quiet::{
            a_quiet_mailbox_is_nobodys_until_the_wish_is_over,
            a_lease_that_is_stale_keeps_no_wish,
            a_wish_lasts_a_day_at_most,
            a_clock_that_is_set_back_makes_no_wish_longer_than_it_is,
            a_wish_that_is_over_stays_so_under_a_clock_that_is_set_back,
        }
    }
}

fn of_the_ledger() -> Vec<Case<Bench>> {
    cases! {
        commit::{
            a_commit_is_read_back,
            a_repeated_commit_adds_nothing,
            a_commit_with_a_lost_reply_is_repeated_by_the_next_holder,
            a_second_sighting_adds_no_entry,
            a_second_sighting_adds_only_what_is_new,
            an_edited_copy_in_the_same_commit_leaves_no_message,
            a_refused_row_leaves_no_trace_and_the_others_are_written,
            concurrent_commits_of_one_message_make_one_set_of_entries,
            an_unknown_message_with_the_same_message_id_is_to_be_compared,
            rows_of_one_batch_with_the_same_message_id_are_to_be_compared,
            a_conflict_of_message_ids_flags_both_messages,
            sightings_are_known_in_the_order_of_the_question,
            messages_are_found_by_message_id_in_the_order_of_the_question,
        }
        outcomes::{
            a_decision_is_read_back,
            a_private_mail_leaves_only_its_reason,
            a_mail_that_is_not_logged_keeps_its_record_and_no_entry,
            failed_attempts_are_counted_and_wait,
            a_quarantined_mail_is_requeued,
            a_mail_that_is_set_aside_again_has_its_outcome_again,
            what_is_not_set_aside_keeps_its_move_when_it_is_requeued,
            decisions_are_filtered,
        }
        decided_again::{
            a_mail_without_entries_that_was_put_back_is_decided_again,
            a_mail_that_was_put_back_in_vain_is_told_again,
            a_mail_that_was_put_back_and_fails_waits_and_keeps_its_outcome,
            what_is_logged_or_set_aside_gets_no_attempts,
            a_logged_mail_keeps_its_decision,
            moves_that_are_still_to_do_follow_a_new_decision,
            moves_of_what_got_another_try_follow_its_new_decision,
            a_sighting_tells_its_outcome_and_the_items_that_wait,
        }
        moves::{
            a_commit_plans_a_move_unless_the_mail_stays,
            planned_moves_come_oldest_first_then_by_item,
            a_done_move_is_settled_and_its_place_known,
            a_move_that_failed_waits_and_stays_planned,
            only_moves_that_are_due_are_pending,
            a_vanished_mail_keeps_its_entries_and_is_told,
            a_duplicate_copy_is_settled_and_told,
            a_deleted_mail_is_settled,
            the_result_of_an_unknown_move_changes_nothing,
            another_item_of_a_decided_sighting_gets_its_own_move,
            a_mail_waits_until_the_hosts_log_has_all_its_entries,
            a_second_copy_waits_for_the_hosts_log_as_well,
            a_mail_is_undelivered_in_every_mailbox_that_saw_it,
        }
        unkeyed::{
            an_item_without_a_key_is_known_by_its_place,
            every_item_that_waits_for_its_move_is_known_by_its_place,
            what_has_a_key_of_its_own_is_not_known_by_its_place,
            a_decision_at_a_place_comes_before_an_attempt,
        }
    }
}

fn of_the_log() -> Vec<Case<Bench>> {
    cases! {
        contents::{
            an_original_is_read_in_ranges,
            an_empty_original_is_kept,
            an_original_that_is_not_kept_is_not_found,
            a_staged_original_is_read_across_its_pieces,
            staged_pieces_are_read_back_before_the_commit,
            staged_pieces_that_no_commit_linked_are_swept,
            a_piece_out_of_order_is_refused,
            a_mail_without_an_original_is_not_to_be_indexed,
            odd_texts_are_kept,
        }
        log::{
            every_field_of_an_entry_is_read_back,
            entries_are_filtered_by_party_and_direction,
            entries_are_filtered_by_time,
            entries_are_filtered_by_flag,
            an_entry_is_found_by_its_number,
            a_cancelled_entry_is_hidden_until_it_is_asked_for,
            what_people_say_about_an_entry_is_kept,
            a_grade_is_from_1_to_5,
            a_mail_is_listed_once_with_all_its_entries,
            what_is_not_there_is_not_found,
        }
        paging::{
            entries_are_newest_first_then_by_falling_number,
            pages_are_bounded_and_miss_nothing,
            a_cursor_stays_valid_while_rows_are_added,
            mails_and_decisions_are_paged,
            a_cursor_of_something_else_is_refused,
            a_cursor_of_another_question_is_refused,
        }
        search::{
            words_are_found_in_subject_participants_and_body,
            every_word_must_occur_and_the_last_may_be_a_beginning,
            no_text_breaks_a_search,
            a_text_without_a_word_finds_nothing,
            case_and_diacritics_make_no_difference,
            the_second_stage_reads_the_oldest_first_and_once,
            a_search_tells_how_much_it_does_not_cover,
        }
        feed::{
            events_tell_of_commits_with_rising_numbers,
            a_quiet_commit_tells_nothing,
            each_consumer_has_its_own_place,
            a_setup_is_stored_only_over_the_version_that_was_read,
        }
        scope::{
            another_scope_reads_nothing,
            another_scope_changes_nothing,
            leases_of_two_scopes_are_independent,
        }
    }
}
