//! The suite that every pair of stores has to pass.
//!
//! A case is a name and a piece of code over the ports. It panics on nothing and reads no clock, so
//! it runs within WebAssembly as it does in memory. All of its identifiers begin with a prefix that
//! the caller makes up: one database can serve every case, one after the other.

mod documents;
mod exchanged_tokens;
mod fixtures;
mod interleaved;
mod interposed;
mod key_searches;
mod key_value;
mod logout_tokens;
mod pending_logins;
mod people_arriving;
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
mod tenant_credentials;
mod transactions;
mod upstream_answers;
mod upstream_grants;
mod verdict;
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
        one_ends_a_session
        the_limit_of_sign_ins_holds
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
