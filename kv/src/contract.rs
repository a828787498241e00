//! The suite that every pair of stores has to pass.
//!
//! A case is a name and a piece of code over the ports. It panics on nothing and reads no clock, so
//! it runs within WebAssembly as it does in memory. All of its identifiers begin with a prefix that
//! the caller makes up: one database can serve every case, one after the other.

mod admin_roles;
mod applying;
mod at_a_glance;
mod audit_log;
mod bootstrap;
mod catalog_packages;
mod changes;
mod comparing;
mod documents;
mod exchanged_tokens;
mod finishing;
mod fixtures;
mod flow_acls;
mod flows;
mod group_events;
mod inactive_people;
mod interleaved;
mod interposed;
mod key_searches;
mod key_value;
mod listings;
mod logout_tokens;
mod mirrored;
mod pending_logins;
mod people_arriving;
mod rate_buckets;
mod redeemed_codes;
mod registrations;
mod revocations;
mod rotation;
mod schema_versions;
mod session_codes;
mod session_ends;
mod sessions_ended_together;
mod standings;
mod subject_revocations;
mod super_admins;
mod sync_runs;
mod tenant_credentials;
mod tenant_events;
mod transactions;
mod upstream_answers;
mod upstream_grants;
mod user_events;
mod verdict;
mod webhook_deliveries;
mod workspace_changes;
mod workspaces;

use scaigate_types::{Database, Kv};

pub use verdict::{Failure, Verdict};

/// The stores under test.
#[derive(Debug)]
pub struct Stores<'a, K, D> {
    /// The key-value store.
    pub kv: &'a K,
    /// The database, empty or at the current schema version.
    pub db: &'a D,
    /// The same database once more: over another connection if the store has such a thing.
    pub other: &'a D,
    /// What every key, digest and identifier of the run begins with: 1 to 24 characters of
    /// `A-Z a-z 0-9 -`, never used before on these stores.
    pub prefix: &'a str,
}

/// What became of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its name, `subject::behaviour`.
    pub name: &'static str,
    /// What it found; `None` when the stores behave.
    pub failure: Option<Failure>,
}

macro_rules! suite {
    ($($subject:ident: $($case:ident)+;)+) => {
        /// The names of all cases, `subject::behaviour`.
        pub const CASES: &[&str] =
            &[$($(concat!(stringify!($subject), "::", stringify!($case)),)+)+];

        async fn case<K: Kv, D: Database>(
            name: &str,
            stores: &Stores<'_, K, D>,
        ) -> Option<Verdict> {
            match name {
                $($(
                    concat!(stringify!($subject), "::", stringify!($case)) => {
                        Some($subject::$case(stores).await)
                    }
                )+)+
                _ => None,
            }
        }
    };
}

suite! {
    key_value:
        answers_none_for_a_missing_key
        returns_what_was_set
        overwrites
        deletes
        deletes_a_missing_key_without_error
        keeps_binary_values
        keeps_a_value_of_64_kib
        tells_apart_keys_that_share_a_beginning;
    documents:
        round_trip
        answers_none_when_there_is_none
        ignores_another_version
        ignores_what_is_no_document;
    revocations:
        sees_what_was_revoked
        revokes_one_session_only
        revokes_twice
        forgets
        narrows_to_later_generations
        narrowing_never_gives_back
        ending_a_narrowed_one_ends_it
        what_can_not_be_read_is_ended;
    subject_revocations:
        is_seen_for_one_subject
        the_latest_time_is_kept
        what_can_not_be_read_revokes_everything;
    schema_versions:
        arrives_at_the_current_version
        keeps_the_rows_when_run_again
        refuses_a_newer_schema
        runs_from_many_at_once;
    transactions:
        drop_without_commit_undoes
        commit_keeps
        shows_nothing_before_commit
        a_failed_statement_changes_nothing;
    at_a_glance:
        a_tenant_without_a_key_is_counted_and_named
        a_bootstrap_address_waits_for_what_it_waits_for
        probes_change_nothing
        headers_of_development_are_counted;
    pending_logins:
        is_consumed_with_what_was_sealed
        is_consumed_once
        another_browser_does_not_burn_it
        no_browser_does_not_burn_it
        ends_exactly_at_its_lifetime
        is_unknown_when_never_issued
        is_not_issued_twice
        beyond_the_limit_drops_the_oldest
        consumed_ones_do_not_count
        two_browsers_do_not_disturb_each_other
        is_remembered_for_a_while_then_purged
        purges_no_more_than_asked;
    redeemed_codes:
        is_claimed_once
        is_claimed_again_after_release
        is_remembered_then_purged;
    people_arriving:
        the_first_becomes_admin
        later_ones_become_viewers
        a_tenant_admin_becomes_admin
        arriving_again_changes_nothing
        keeps_display_names_that_are_not_sent_again
        the_same_subject_of_another_issuer_is_somebody_else
        the_same_email_is_somebody_else
        a_removed_membership_stays_removed
        a_suspended_person_joins_nothing
        bootstrap_makes_a_super_admin
        bootstrap_keeps_a_role_given_otherwise
        bootstrap_elects_once_and_nobody_of_a_shared_address
        bootstrap_does_not_reach_a_suspended_person
        an_arrival_cut_short_is_finished_by_the_next
        is_found_by_identifier;
    workspaces:
        lists_the_default_one_first
        lists_none_of_another_tenant
        lists_none_of_another_person
        does_not_move_a_workspace_to_another_tenant
        says_what_somebody_is_in_the_default_one;
    standings:
        knows_the_person_and_the_tenant
        a_stranger_of_a_known_tenant_is_nobody
        nobody_stands_in_another_tenant
        a_suspended_person_is_told_as_such;
    registrations:
        makes_the_person_and_a_workspace_of_their_own
        again_it_makes_nothing
        an_arrival_alone_has_no_personal_workspace
        everybody_gets_their_own
        a_membership_removed_or_lowered_stays_so
        a_suspended_person_gets_nothing
        another_tenant_has_another_workspace
        takes_no_workspace_of_somebody_else
        one_cut_short_is_finished_by_the_next;
    workspace_changes:
        a_member_sees_it
        nobody_else_sees_it
        an_admin_changes_what_is_given
        nobody_else_changes_it
        a_right_taken_away_counts_at_once;
    session_codes:
        shows_what_it_redeems
        is_redeemed_once
        ends_exactly_at_its_lifetime
        is_unknown_when_never_issued
        a_lost_redemption_does_not_change_the_workspace
        is_refused_after_the_session_has_ended
        is_not_issued_twice;
    rotation:
        replaces_the_current_generation
        gives_parallel_requests_the_same_generation
        a_late_replay_voids_the_generation_never_received
        a_void_generation_ends_the_session
        an_older_generation_ends_the_session
        a_generation_never_issued_ends_the_session
        refuses_an_ended_session
        refuses_an_expired_session
        does_not_know_an_unredeemed_session
        does_not_know_a_stranger
        a_rotation_in_between_is_no_theft;
    session_ends:
        drops_what_scaikey_gave
        ending_again_changes_nothing
        switches_the_workspace_of_a_live_session_only
        revocations_are_forgotten_a_day_later
        is_purged_a_day_after_it_expired
        is_purged_only_when_its_revocation_is_forgotten
        is_purged_when_never_redeemed
        everything_is_purged_in_one_go;
    sessions_ended_together:
        all_of_a_person
        neither_ended_nor_expired_ones
        one_not_redeemed_yet
        what_a_logout_token_names
        n_088_none_of_another_issuer_or_tenant
        nothing_when_the_transaction_is_undone
        tells_the_generations_of_live_ones
        a_narrowed_one_is_purged_with_its_record;
    logout_tokens:
        is_claimed_once
        is_good_again_when_its_claim_is_undone
        is_remembered_until_it_expires;
    key_searches:
        is_somebodys_for_half_a_minute
        a_clock_set_back_does_not_hold_it
        is_nobodys_while_the_store_fails;
    exchanged_tokens:
        is_found_until_it_ends
        the_one_that_lasts_longer_stays
        is_purged_when_it_has_ended;
    rate_buckets:
        gives_what_it_holds_and_no_more
        fills_up_to_the_millisecond
        is_never_more_than_full
        principals_and_categories_have_their_own
        a_clock_set_back_neither_makes_nor_takes_tokens
        a_clock_set_back_does_not_stop_the_refill
        whoever_is_refused_writes_nothing
        a_slice_is_at_most_a_tenth_of_what_is_there
        what_is_out_on_lease_does_not_come_back_meanwhile
        half_of_it_is_the_most_that_is_out_on_lease
        is_forgotten_when_it_is_full
        gives_nothing_while_the_store_fails;
    tenant_credentials:
        is_found_by_its_tenant_alone
        the_last_one_set_stays
        sealing_anew_changes_nothing_else
        sealing_anew_loses_against_a_rotation
        is_gone_when_removed;
    upstream_answers:
        one_leads_and_the_others_wait
        the_answer_is_handed_out_until_it_expires
        a_lost_leader_is_replaced_once
        a_replaced_leader_may_still_finish
        the_first_answer_stays
        a_failure_is_kept_for_a_short_time
        a_released_turn_goes_to_the_next
        a_turn_is_not_released_twice
        a_replaced_leader_releases_nothing
        an_expired_answer_is_purged;
    upstream_grants:
        is_remembered
        the_first_owner_stays
        is_unknown_when_never_bound
        is_purged_when_it_expires;
    user_events:
        leave_the_same_in_every_order
        tell_what_they_tell_and_no_more
        a_deletion_stays_until_a_creation
        an_applied_sync_makes_older_ones_void
        one_that_came_while_a_sync_read_can_be_corrected
        void_ones_make_nobody_mirrored
        of_another_tenant_change_nobody
        know_the_tenant
        tell_who_is_there;
    group_events:
        leave_the_same_in_every_order
        of_members_leave_the_same_in_every_order
        a_membership_goes_with_its_group_and_its_user
        may_come_before_what_they_are_about
        an_applied_sync_makes_older_ones_void
        a_void_deletion_still_ends_what_was_before
        a_late_deletion_that_ends_a_membership_is_news
        a_deletion_ends_what_no_sync_compared;
    tenant_events:
        leave_the_same_in_every_order
        of_partners_leave_the_same_in_every_order
        tell_whether_they_were_news
        an_applied_sync_makes_older_ones_void;
    comparing:
        finds_users_that_differ
        finds_users_that_are_missing
        finds_groups_that_differ_or_are_missing
        finds_who_joined_and_who_left
        finds_tenants_that_differ_or_are_missing
        takes_hostile_texts_for_what_they_are
        counts_what_is_live;
    applying:
        users_are_made_changed_and_brought_back
        whoever_signed_in_first_is_the_same_person
        what_younger_events_said_stays
        groups_are_made_changed_and_marked
        members_join_and_leave
        nobody_joins_what_was_deleted_since
        tenants_are_made_changed_and_marked;
    finishing:
        what_was_covered_is_noted
        members_of_no_group_are_not_kept
        what_it_changed_is_counted
        the_next_sync_of_the_same_second_brings_members_back;
    changes:
        tell_every_change_of_a_user_once
        tell_every_change_of_the_rest_once
        say_nothing_where_nothing_changes
        name_what_changed_and_by_what
        are_read_page_by_page
        that_were_forgotten_are_told;
    sync_runs:
        are_one_at_a_time
        a_silent_one_is_abandoned
        progress_keeps_one_alive
        tell_how_they_ended
        decide_when_the_next_is_due
        old_ones_are_forgotten;
    super_admins:
        follow_the_groups_and_nothing_else
        are_named_by_the_group_or_its_name
        a_name_of_two_groups_elects_nobody
        an_identifier_is_no_name
        need_somebody_who_may_act;
    bootstrap:
        elects_one_person_of_that_address
        elects_nobody_while_another_has_or_had_the_address
        elects_nobody_who_may_not_act;
    admin_roles:
        are_given_and_taken
        stay_within_a_tenant
        the_last_super_admin_stays
        holders_are_found_by_identifier_and_address;
    webhook_deliveries:
        are_claimed_once
        a_claim_is_undone_with_its_effect
        are_listed_the_latest_first
        are_forgotten_a_month_later;
    listings:
        users_are_shown_with_their_fields
        users_are_found_by_what_is_in_them
        users_are_listed_page_by_page
        users_are_listed_by_status
        groups_and_their_members
        why_tells_what_is_known;
    inactive_people:
        lose_their_sessions
        one_persons_are_ended_alone
        nothing_ends_when_the_transaction_is_undone;
    flows:
        its_content_comes_back_byte_for_byte
        a_version_is_never_written_again
        metadata_alone_makes_no_version
        its_owner_and_administrators_may_do_everything
        is_found_by_part_of_its_name
        a_deleted_one_is_gone_and_its_content_kept
        nothing_is_made_when_the_transaction_is_undone
        a_deployment_ends_once
        no_version_is_lost_among_parallel_writers
        rights_of_a_deleted_flow_mean_nothing;
    flow_acls:
        a_user_has_the_level_given
        a_group_counts_as_long_as_it_and_its_membership_live
        the_highest_of_several_counts
        nobody_of_another_tenant_can_be_named_or_gets_in
        a_deleted_principal_can_not_be_named
        a_right_taken_away_is_gone;
    catalog_packages:
        the_same_version_again_raises_the_patch
        is_shown_to_whom_it_is_for
        belongs_to_its_author
        an_unknown_group_changes_nothing
        a_deleted_one_is_gone_with_its_versions;
    audit_log:
        a_sign_in_a_session_and_its_end_leave_rows
        arriving_leaves_one_row_each_time
        a_role_given_and_taken_leaves_rows
        a_credential_set_replaced_and_removed_leaves_rows
        an_event_leaves_one_row_with_its_last_outcome
        a_transaction_says_by_which_request_its_own_rows_were_written
        what_is_undone_leaves_no_row_and_no_gap
        a_sealed_row_is_neither_changed_nor_removed
        refusals_of_a_minute_are_one_row_until_it_is_sealed
        is_filtered_and_read_in_pages_in_both_directions;
    interleaved:
        one_consumes_a_sign_in
        one_redeems_a_session_code
        one_claims_a_code
        one_leads_an_upstream_refresh
        one_takes_over_from_a_lost_leader
        one_rotation_for_all
        one_workspace_and_one_admin_for_a_new_tenant
        one_person_however_often
        one_personal_workspace_however_often
        one_acts_on_a_logout_token
        one_searches_for_a_key
        fifty_take_from_a_bucket_of_fifty
        one_ends_a_session
        the_limit_of_sign_ins_holds
        one_begins_a_sync
        one_claims_an_event
        transactions_take_turns;
}

/// Runs the case of that name; `None` when there is none.
pub async fn run_case<K: Kv, D: Database>(
    name: &str,
    stores: &Stores<'_, K, D>,
) -> Option<Outcome> {
    let name = CASES.iter().copied().find(|case| *case == name)?;
    let failure = case(name, stores).await?.err();
    Some(Outcome { name, failure })
}

/// Runs every case on the same stores, one after the other.
pub async fn run<K: Kv, D: Database>(stores: &Stores<'_, K, D>) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(CASES.len());
    for (number, name) in CASES.iter().enumerate() {
        let prefix = format!("{}-{number}", stores.prefix);
        let own = Stores {
            kv: stores.kv,
            db: stores.db,
            other: stores.other,
            prefix: &prefix,
        };
        outcomes.extend(run_case(name, &own).await);
    }
    outcomes
}
