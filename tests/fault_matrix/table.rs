//! The table of the matrix: every cell with the tests that show its outcome.

use std::collections::BTreeSet;
use std::path::Path;

/// A step of the job, or what happens around it, as the matrix numbers them.
type Row = &'static str;

/// What goes wrong: C crash before, C' crash after the effect, T timeout, R reply lost after the effect, B busy, A sign-in
/// refused, P partial batch, D delivered twice, W second worker; or the cause in words.
type Column = &'static str;

/// Tests by file and name.
type Tests = &'static [&'static str];

const CRASHES: &str =
    "tests/logger/crashes.rs::a_run_that_is_dropped_at_any_point_is_healed_by_the_next";
const EVERY_SOURCE_FAULT: &str =
    "tests/logger/faults.rs::every_fault_of_the_source_at_every_call_is_healed";
const EVERY_STORE_FAULT: &str = "tests/logger/faults.rs::every_failing_call_of_the_store_is_healed_and_moves_nothing_uncommitted";
const WISH_IS_KEPT: &str = "tests/ews/faults.rs::the_servers_wish_is_kept_exactly";
const REFUSED_ONCE: &str = "tests/ews/signing_in.rs::a_refused_token_is_replaced_once";
const REFUSED_RUN: &str =
    "tests/fault_matrix/steps.rs::a_refused_sign_in_ends_the_run_and_the_next_one_goes_on";
const QUIET: &str = "tests/logger/quiet.rs::after_a_run_that_was_told_to_wait_no_worker_asks_before_the_time_is_over";
const BUSY_RUN: &str = "tests/fault_matrix/steps.rs::a_busy_server_ends_the_run_and_nothing_is_asked_of_a_mail_before_its_time";
const LATE_MOVE: &str = "tests/fault_matrix/steps.rs::a_late_move_of_a_stale_worker_makes_one_copy_at_most_and_no_entry";
const WRITTEN_TWICE: &str =
    "tests/fault_matrix/steps.rs::a_result_that_is_written_twice_counts_once";
const LOST_MOVE: &str = "tests/logger/faults.rs::recovery_looks_before_it_moves_and_needs_one_look_at_each_folder_for_a_batch";
const LASTING_IDS: &str =
    "tests/fault_matrix/steps.rs::recovery_makes_no_copy_where_old_ids_stay_usable";
const ANY_POISON: &str =
    "tests/fault_matrix/poison.rs::a_mail_that_fails_in_any_way_changes_nothing_for_the_others";
const LOST_QUARANTINE_MOVE: &str = "tests/fault_matrix/poison.rs::a_quarantine_move_with_a_lost_reply_is_looked_for_and_not_repeated";
const BUSY_COMMIT: &str = "tests/sqlite_store.rs::a_write_that_another_process_keeps_waiting_is_unavailable_and_can_be_repeated";
const BUSY_LEASE: &str = "tests/sqlite_store.rs::a_lease_and_a_result_that_another_process_keeps_waiting_can_be_asked_for_again";
const COLLIDED_COMMIT: &str =
    "tests/postgres_store/refusals.rs::a_serialization_failure_or_a_deadlock_is_done_again_whole";
const COLLIDED_LEASE: &str =
    "tests/postgres_store/refusals.rs::a_lease_and_a_result_that_collide_are_done_again_whole";
const REFUSED_ANY: &str =
    "tests/ews/signing_in.rs::a_refused_token_is_replaced_once_whatever_is_asked";
const PROCESSES: &str =
    "tests/store_processes.rs::processes_that_commit_at_once_lose_nothing_and_log_nothing_twice";
const TWO_POOLS: &str = "tests/pool/turns.rs::two_pools_on_one_sqlite_file_log_nothing_twice";

/// 1 token refresh, 2 lease, 3 list, 4 fetch, 5 decide. What the credentials do in a refresh is shown here; the simulation has it
/// as a call within another one, which fails, ends or goes on with it (`Op::Refresh`).
const READING: &[(Row, Column, Tests)] = &[
    (
        "1",
        "C",
        &[
            "tests/oauth_delegated.rs::an_access_token_is_not_used_before_the_refresh_token_is_stored_and_none_is_lost",
        ],
    ),
    (
        "1",
        "C'",
        &[
            "tests/oauth_delegated.rs::each_new_refresh_token_is_stored_and_the_next_refresh_uses_it",
        ],
    ),
    (
        "1",
        "T",
        &[
            "tests/oauth_delegated.rs::two_lost_answers_are_a_transient_failure_and_the_next_call_tries_again",
        ],
    ),
    (
        "1",
        "R",
        &[
            "tests/oauth_delegated.rs::after_a_lost_answer_the_old_token_is_tried_once_and_then_at_each_sign_in",
        ],
    ),
    (
        "1",
        "B",
        &[
            "tests/oauth_app.rs::a_refusal_is_a_typed_error_without_its_description",
            "tests/oauth_app.rs::a_service_that_wants_to_be_left_alone_is_not_asked_before_its_time",
            "tests/pool/turns.rs::one_broken_mailbox_never_delays_another",
        ],
    ),
    (
        "1",
        "A",
        &[
            "tests/oauth_security.rs::check_10_invalid_grant_asks_nothing_more_until_a_new_refresh_token_is_stored",
            "tests/pool/health.rs::a_sign_in_that_needs_a_person_pauses_its_mailbox_alone_until_the_credentials_change",
        ],
    ),
    (
        "1",
        "W",
        &[
            "tests/oauth_delegated.rs::two_workers_on_one_store_lose_no_token",
            "tests/oauth_security.rs::check_09_64_callers_at_once_are_one_refresh_and_no_token_is_lost",
        ],
    ),
    ("2", "C", &[CRASHES]),
    (
        "2",
        "C'",
        &[
            "tests/fault_matrix/steps.rs::the_lease_after_a_crash_has_the_next_epoch_and_the_old_one_writes_nothing",
        ],
    ),
    ("2", "T", &[EVERY_STORE_FAULT]),
    (
        "2",
        "R",
        &[
            "tests/fault_matrix/steps.rs::a_lease_whose_reply_was_lost_counts_as_not_held_and_ends_by_itself",
        ],
    ),
    ("2", "B", &[BUSY_LEASE, COLLIDED_LEASE]),
    (
        "2",
        "W",
        &[
            "tests/logger/faults.rs::a_mailbox_that_another_worker_holds_is_left_alone",
            "src/testkit/conformance/store/lease.rs::a_stale_lease_commits_nothing",
            TWO_POOLS,
        ],
    ),
    ("3", "C", &[CRASHES]),
    ("3", "C'", &[CRASHES]),
    ("3", "T", &[EVERY_SOURCE_FAULT]),
    ("3", "R", &[EVERY_SOURCE_FAULT]),
    ("3", "B", &[WISH_IS_KEPT, BUSY_RUN, QUIET]),
    ("3", "A", &[REFUSED_ONCE, REFUSED_RUN]),
    (
        "3",
        "P",
        &[
            "tests/ews/listing.rs::contradictory_pages_come_to_an_end",
            "src/logger/listing.rs::the_next_page_starts_behind_what_certainly_stays",
        ],
    ),
    (
        "3",
        "D",
        &[
            "src/logger/listing.rs::a_server_that_repeats_its_page_comes_to_an_end",
            "tests/ews_simulated.rs::listing_faults_come_to_an_end",
        ],
    ),
    (
        "3",
        "W",
        &[
            "tests/fault_matrix/steps.rs::two_workers_may_list_and_decide_at_the_same_time_and_decide_alike",
        ],
    ),
    ("4", "C", &[CRASHES]),
    (
        "4",
        "C'",
        &["tests/logger/crashes.rs::a_large_mail_that_was_half_staged_is_staged_anew"],
    ),
    ("4", "T", &[EVERY_SOURCE_FAULT]),
    (
        "4",
        "R",
        &[
            "tests/ews/fetching.rs::an_answer_without_an_original_is_not_complete_and_a_damaged_one_is_flagged",
            EVERY_SOURCE_FAULT,
        ],
    ),
    ("4", "B", &[WISH_IS_KEPT, BUSY_RUN, QUIET]),
    ("4", "A", &[REFUSED_ANY, REFUSED_RUN]),
    (
        "4",
        "P",
        &[
            "tests/ews/fetching.rs::the_rest_of_a_stopped_batch_is_asked_again",
            "tests/ews/fetching.rs::an_original_that_cannot_be_rendered_leaves_the_facts",
            "tests/ews/fetching.rs::an_unknown_code_fails_its_item_alone",
            "tests/logger/runs.rs::a_damaged_mail_is_logged_from_the_servers_facts",
        ],
    ),
    (
        "4",
        "D",
        &["tests/ews/fetching.rs::several_originals_or_items_in_one_answer_are_nobodys"],
    ),
    (
        "4",
        "W",
        &["tests/fault_matrix/steps.rs::mail_that_another_worker_took_is_passed_over"],
    ),
    ("5", "C", &[CRASHES]),
    ("5", "P", &[ANY_POISON]),
    (
        "5",
        "D",
        &[
            "tests/fault_matrix/poison.rs::a_mail_is_tried_eight_times_with_growing_waits_of_its_own",
        ],
    ),
    (
        "5",
        "W",
        &[
            "tests/fault_matrix/steps.rs::two_workers_may_list_and_decide_at_the_same_time_and_decide_alike",
        ],
    ),
];

/// 6 commit, 6' the store fails, 7 move, 8 mark moved, 9 quarantine move.
const WRITING: &[(Row, Column, Tests)] = &[
    ("6", "C", &[CRASHES]),
    (
        "6",
        "C'",
        &[
            CRASHES,
            "tests/sqlite_store.rs::a_commit_whose_future_is_dropped_is_whole_or_absent",
        ],
    ),
    ("6", "T", &[EVERY_STORE_FAULT]),
    (
        "6",
        "R",
        &[
            EVERY_STORE_FAULT,
            "src/testkit/conformance/store/commit.rs::a_commit_with_a_lost_reply_is_repeated_by_the_next_holder",
        ],
    ),
    ("6", "B", &[BUSY_COMMIT, COLLIDED_COMMIT]),
    (
        "6",
        "P",
        &[
            "tests/sqlite_store.rs::a_row_that_is_refused_leaves_no_trace_and_the_others_are_written",
        ],
    ),
    (
        "6",
        "D",
        &[
            "src/testkit/conformance/store/commit.rs::a_second_sighting_adds_no_entry",
            "tests/logger/copies.rs::two_rules_that_drop_the_same_mail_make_one_entry_and_two_moves",
        ],
    ),
    (
        "6",
        "W",
        &[
            "src/testkit/conformance/store/commit.rs::concurrent_commits_of_one_message_make_one_set_of_entries",
            PROCESSES,
        ],
    ),
    (
        "6'",
        "disk full",
        &[
            "tests/store_fsync.rs::a_disk_that_is_full_from_any_write_on_loses_nothing_and_writes_no_half",
            "tests/fault_matrix/steps.rs::a_log_that_cannot_be_written_stops_the_run_and_moves_nothing",
        ],
    ),
    (
        "6'",
        "I/O error",
        &[
            "tests/fault_matrix/steps.rs::a_log_that_cannot_be_written_stops_the_run_and_moves_nothing",
        ],
    ),
    (
        "6'",
        "corrupt page",
        &["tests/fault_matrix/steps.rs::a_log_that_is_damaged_stops_the_run_and_moves_nothing"],
    ),
    (
        "6'",
        "read-only",
        &[
            "tests/fault_matrix/steps.rs::a_log_that_can_only_be_read_stops_the_run_and_moves_nothing",
        ],
    ),
    ("7", "C", &[CRASHES]),
    ("7", "C'", &[CRASHES]),
    (
        "7",
        "T",
        &[
            EVERY_SOURCE_FAULT,
            "tests/ews/transferring.rs::a_move_with_an_unknown_effect_is_not_repeated",
        ],
    ),
    (
        "7",
        "R",
        &[
            LOST_MOVE,
            LASTING_IDS,
            "tests/logger/faults.rs::a_half_done_move_ends_with_a_second_copy_that_is_noted",
            "tests/logger/faults.rs::mail_that_a_person_takes_away_keeps_its_entries",
        ],
    ),
    ("7", "B", &[WISH_IS_KEPT, BUSY_RUN, QUIET]),
    ("7", "A", &[REFUSED_ANY, REFUSED_RUN]),
    (
        "7",
        "P",
        &[
            "tests/fault_matrix/steps.rs::a_move_that_the_server_refuses_item_by_item_waits_as_long_as_it_asks",
        ],
    ),
    (
        "7",
        "D",
        &[
            "tests/logger/copies.rs::a_copy_made_by_hand_gets_a_move_of_its_own_and_a_note",
            "tests/fault_matrix/steps.rs::a_blind_second_move_makes_a_copy_where_old_ids_stay_usable",
        ],
    ),
    (
        "7",
        "W",
        &[
            LATE_MOVE,
            "tests/end_to_end/leases.rs::a_move_that_waits_in_the_gate_is_not_sent_once_the_lease_is_lost",
            "tests/end_to_end/leases.rs::recovery_sends_no_move_once_the_lease_is_lost",
        ],
    ),
    ("8", "C", &[CRASHES]),
    ("8", "C'", &[CRASHES]),
    ("8", "T", &[EVERY_STORE_FAULT]),
    ("8", "R", &[EVERY_STORE_FAULT]),
    ("8", "B", &[BUSY_LEASE, COLLIDED_LEASE]),
    (
        "8",
        "P",
        &["src/testkit/conformance/store/moves.rs::the_result_of_an_unknown_move_changes_nothing"],
    ),
    ("8", "D", &[WRITTEN_TWICE]),
    (
        "8",
        "W",
        &["src/testkit/conformance/store/lease.rs::a_stale_lease_settles_and_delivers_nothing"],
    ),
    ("9", "C", &[CRASHES]),
    ("9", "C'", &[LOST_QUARANTINE_MOVE]),
    ("9", "T", &[LOST_QUARANTINE_MOVE]),
    ("9", "R", &[LOST_QUARANTINE_MOVE]),
    (
        "9",
        "B",
        &["tests/fault_matrix/poison.rs::a_busy_server_keeps_the_quarantine_move_planned"],
    ),
    ("9", "A", &[REFUSED_RUN]),
    (
        "9",
        "P",
        &[
            "tests/fault_matrix/poison.rs::a_quarantine_folder_that_is_gone_in_the_middle_stops_no_other_mail",
        ],
    ),
    (
        "9",
        "D",
        &["tests/fault_matrix/poison.rs::a_copy_of_a_mail_that_was_set_aside_follows_it"],
    ),
    ("9", "W", &[LATE_MOVE]),
    (
        "9",
        "no folder",
        &[
            "tests/fault_matrix/poison.rs::a_mail_waits_for_a_missing_quarantine_folder_and_the_others_go_on",
        ],
    ),
];

const STAMP_HEALED: &str =
    "tests/fault_matrix/stamps.rs::a_stamp_that_fails_in_any_way_is_healed_by_the_next_run";

/// 3', giving items without a key one of our own: between list and fetch.
const STAMPING: &[(Row, Column, Tests)] = &[
    (
        "3'",
        "C",
        &[
            "tests/logger/crashes.rs::a_run_that_stamps_and_is_dropped_at_any_point_is_healed_by_the_next",
        ],
    ),
    (
        "3'",
        "C'",
        &["tests/end_to_end/stamps.rs::a_stamp_that_led_to_nothing_is_used_by_the_next_run"],
    ),
    ("3'", "T", &[STAMP_HEALED]),
    ("3'", "R", &[STAMP_HEALED]),
    ("3'", "B", &[STAMP_HEALED]),
    (
        "3'",
        "A",
        &[
            "tests/end_to_end/stamps.rs::a_refusal_falls_back_to_the_content_and_is_asked_for_once",
            "tests/fault_matrix/stamps.rs::a_refused_sign_in_at_a_stamp_ends_the_run_and_nothing_more_is_asked",
        ],
    ),
    (
        "3'",
        "P",
        &["tests/fault_matrix/stamps.rs::an_item_that_cannot_be_stamped_is_logged_by_its_content"],
    ),
    (
        "3'",
        "D",
        &["tests/fault_matrix/stamps.rs::a_copy_of_a_stamped_mail_makes_no_entry"],
    ),
    (
        "3'",
        "lost move",
        &["tests/fault_matrix/stamps.rs::after_a_lost_reply_the_move_is_looked_for_by_the_stamp"],
    ),
];

/// What happens around the job.
const OUTSIDE: &[(Row, Column, Tests)] = &[
    (
        "outside",
        "mail moved or deleted",
        &[
            "tests/fault_matrix/steps.rs::mail_that_people_move_copy_and_delete_between_commit_and_move_is_settled",
        ],
    ),
    (
        "outside",
        "mail edited",
        &[
            "tests/fault_matrix/edited.rs::a_mail_that_is_edited_at_any_moment_is_logged_as_it_was_read_once_and_moved",
            "src/logger/listing.rs::an_item_waits_for_its_move_whatever_its_version",
        ],
    ),
    (
        "outside",
        "folder renamed",
        &["tests/end_to_end/faults.rs::a_renamed_folder_is_found_by_its_id_while_the_logger_lives"],
    ),
    (
        "outside",
        "folder deleted",
        &[
            "tests/fault_matrix/steps.rs::a_storage_folder_that_is_gone_keeps_the_mail_and_is_found_again",
        ],
    ),
    (
        "outside",
        "clock jumps",
        &[
            "tests/fault_matrix/steps.rs::a_clock_that_jumps_a_day_loses_nothing_and_logs_nothing_twice",
        ],
    ),
    (
        "outside",
        "summer time",
        &["tests/fault_matrix/steps.rs::the_hour_that_comes_twice_changes_no_entry"],
    ),
    (
        "outside",
        "other kind of source",
        &[
            "tests/fault_matrix/steps.rs::a_mailbox_that_moves_to_another_kind_of_source_is_logged_once",
        ],
    ),
    (
        "outside",
        "database restored",
        &["tests/fault_matrix/reconcile.rs::a_restored_backup_is_completed_from_the_folders"],
    ),
    (
        "outside",
        "database lost",
        &["tests/fault_matrix/reconcile.rs::an_empty_store_is_filled_from_the_folders"],
    ),
    (
        "outside",
        "two versions",
        &[
            "tests/sqlite_store.rs::a_schema_that_is_newer_or_differs_is_refused_and_left_alone",
            "tests/sqlite_store.rs::a_handle_that_is_open_while_a_newer_version_migrates_writes_nothing_more",
            "tests/postgres_store/schema.rs::a_handle_that_is_open_while_a_newer_version_migrates_writes_nothing_more",
            "tests/logger/faults.rs::a_store_that_a_newer_version_has_migrated_ends_the_run_and_nothing_more_moves",
        ],
    ),
];

/// The columns that each row has a required outcome for.
const REQUIRED: &[(Row, &[Column])] = &[
    ("1", &["C", "C'", "T", "R", "B", "A", "W"]),
    ("2", &["C", "C'", "T", "R", "B", "W"]),
    ("3", &["C", "C'", "T", "R", "B", "A", "P", "D", "W"]),
    (
        "3'",
        &["C", "C'", "T", "R", "B", "A", "P", "D", "lost move"],
    ),
    ("4", &["C", "C'", "T", "R", "B", "A", "P", "D", "W"]),
    ("5", &["C", "P", "D", "W"]),
    ("6", &["C", "C'", "T", "R", "B", "P", "D", "W"]),
    (
        "6'",
        &["disk full", "I/O error", "corrupt page", "read-only"],
    ),
    ("7", &["C", "C'", "T", "R", "B", "A", "P", "D", "W"]),
    ("8", &["C", "C'", "T", "R", "B", "P", "D", "W"]),
    (
        "9",
        &["C", "C'", "T", "R", "B", "A", "P", "D", "W", "no folder"],
    ),
    (
        "outside",
        &[
            "mail moved or deleted",
            "mail edited",
            "folder renamed",
            "folder deleted",
            "clock jumps",
            "summer time",
            "other kind of source",
            "database restored",
            "database lost",
            "two versions",
        ],
    ),
];

fn cells() -> impl Iterator<Item = &'static (Row, Column, Tests)> {
    READING.iter().chain(STAMPING).chain(WRITING).chain(OUTSIDE)
}

#[test]
fn every_cell_of_the_matrix_has_a_test() {
    let required: BTreeSet<_> = REQUIRED
        .iter()
        .flat_map(|(row, columns)| columns.iter().map(move |column| (*row, *column)))
        .collect();
    let covered: Vec<_> = cells().map(|(row, column, _)| (*row, *column)).collect();
    let distinct: BTreeSet<_> = covered.iter().copied().collect();
    assert_eq!(covered.len(), distinct.len(), "each cell stands once");
    assert_eq!(distinct, required);
    assert_eq!(distinct.len(), 93);
    for (row, column, tests) in cells() {
        assert!(!tests.is_empty(), "cell {row} {column} has no test");
    }
}

/// Whether a file has this test, or this case of the conformance suite.
fn has_test(source: &str, name: &str, case: bool) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let function = format!("fn {name}(");
    lines.iter().enumerate().any(|(at, line)| {
        let above = lines[..at].iter().rev();
        let marked = above
            .take_while(|line| line.starts_with("#[") || line.starts_with("//"))
            .any(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"));
        line.contains(&function) && (marked || case)
    })
}

#[test]
fn every_test_of_the_matrix_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut missing = BTreeSet::new();
    for test in cells().flat_map(|(_, _, tests)| *tests) {
        let (file, name) = test.split_once("::").unwrap();
        let source = std::fs::read_to_string(root.join(file)).unwrap_or_default();
        let case = file.starts_with("src/testkit/conformance/");
        if !has_test(&source, name, case) {
            missing.insert(*test);
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn a_test_that_is_gone_or_is_none_is_noticed() {
    let source = "#[test]\nfn one() {}\n#[tokio::test]\n// Why.\nasync fn two() {}\nfn three() {}";
    assert!(has_test(source, "one", false) && has_test(source, "two", false));
    assert!(!has_test(source, "three", false) && !has_test(source, "on", false));
}
