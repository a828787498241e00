//! What needs a fault, the clock, the database or a kill: runs on the embedded runner.
#[path = "embedded/access_tokens.rs"]
mod access_tokens;
#[path = "embedded/audit.rs"]
mod audit;
#[path = "embedded/backchannel_logout.rs"]
mod backchannel_logout;
#[path = "embedded/beginnings.rs"]
mod beginnings;
#[path = "embedded/canary_g8.rs"]
mod canary_g8;
#[path = "embedded/catalog.rs"]
mod catalog;
#[path = "embedded/codes.rs"]
mod codes;
#[path = "embedded/console.rs"]
mod console;
#[path = "embedded/console_failing.rs"]
mod console_failing;
#[path = "embedded/console_refused.rs"]
mod console_refused;
#[path = "embedded/deploy.rs"]
mod deploy;
#[path = "embedded/deploy_deprecated.rs"]
mod deploy_deprecated;
#[path = "embedded/deploy_failures.rs"]
mod deploy_failures;
#[path = "embedded/deploy_foreign.rs"]
mod deploy_foreign;
#[path = "embedded/deploy_hostile.rs"]
mod deploy_hostile;
#[path = "embedded/directory_background.rs"]
mod directory_background;
#[path = "embedded/directory_changes.rs"]
mod directory_changes;
#[path = "embedded/directory_interrupted.rs"]
mod directory_interrupted;
#[path = "embedded/directory_lists.rs"]
mod directory_lists;
#[path = "embedded/directory_pages.rs"]
mod directory_pages;
#[path = "embedded/directory_roles.rs"]
mod directory_roles;
#[path = "embedded/directory_shrink.rs"]
mod directory_shrink;
#[path = "embedded/directory_sync.rs"]
mod directory_sync;
#[path = "embedded/directory_transport.rs"]
mod directory_transport;
#[path = "embedded/directory_webhook.rs"]
mod directory_webhook;
#[path = "embedded/faults.rs"]
mod faults;
#[path = "embedded/faults_document.rs"]
mod faults_document;
#[path = "embedded/faults_flows.rs"]
mod faults_flows;
#[path = "embedded/faults_sent.rs"]
mod faults_sent;
#[path = "embedded/faults_stage.rs"]
mod faults_stage;
#[path = "embedded/flow_acls.rs"]
mod flow_acls;
#[path = "embedded/flows.rs"]
mod flows;
#[path = "embedded/fuzz.rs"]
mod fuzz;
#[path = "embedded/health.rs"]
mod health;
#[path = "embedded/id_token.rs"]
mod id_token;
#[path = "embedded/isolation.rs"]
mod isolation;
#[path = "embedded/keys_down.rs"]
mod keys_down;
#[path = "embedded/lookups.rs"]
mod lookups;
#[path = "embedded/malformed.rs"]
mod malformed;
#[path = "embedded/negative_5_1.rs"]
mod negative_5_1;
#[path = "embedded/negative_5_1_answer.rs"]
mod negative_5_1_answer;
#[path = "embedded/negative_5_1_begin.rs"]
mod negative_5_1_begin;
#[path = "embedded/negative_5_2.rs"]
mod negative_5_2;
#[path = "embedded/negative_5_2_cookies.rs"]
mod negative_5_2_cookies;
#[path = "embedded/negative_5_2_lifetime.rs"]
mod negative_5_2_lifetime;
#[path = "embedded/negative_5_2_origins.rs"]
mod negative_5_2_origins;
#[path = "embedded/negative_5_2_person.rs"]
mod negative_5_2_person;
#[path = "embedded/negative_5_3.rs"]
mod negative_5_3;
#[path = "embedded/negative_5_6.rs"]
mod negative_5_6;
#[path = "embedded/negative_5_7.rs"]
mod negative_5_7;
#[path = "embedded/negative_5_8.rs"]
mod negative_5_8;
#[path = "embedded/open_redirect.rs"]
mod open_redirect;
#[path = "embedded/pass_through.rs"]
mod pass_through;
#[path = "embedded/races.rs"]
mod races;
#[path = "embedded/rate_limits.rs"]
mod rate_limits;
#[path = "embedded/registration.rs"]
mod registration;
#[path = "embedded/request_log.rs"]
mod request_log;
#[path = "embedded/restore.rs"]
mod restore;
#[path = "embedded/revocation.rs"]
mod revocation;
#[path = "embedded/route_by_credential.rs"]
mod route_by_credential;
#[path = "embedded/scaikey_down.rs"]
mod scaikey_down;
#[path = "embedded/sessions.rs"]
mod sessions;
#[path = "embedded/stores_down.rs"]
mod stores_down;
#[path = "embedded/streaming.rs"]
mod streaming;
#[path = "embedded/symptoms.rs"]
mod symptoms;
#[path = "embedded/symptoms_callers.rs"]
mod symptoms_callers;
#[path = "embedded/symptoms_directory.rs"]
mod symptoms_directory;
#[path = "embedded/symptoms_scaigrid.rs"]
mod symptoms_scaigrid;
#[path = "embedded/symptoms_shown.rs"]
mod symptoms_shown;
#[path = "embedded/symptoms_told.rs"]
mod symptoms_told;
#[path = "embedded/symptoms_webhook.rs"]
mod symptoms_webhook;
#[path = "embedded/tenants.rs"]
mod tenants;
#[path = "embedded/two_tenants.rs"]
mod two_tenants;
#[path = "embedded/variants.rs"]
mod variants;
#[path = "embedded/workspaces.rs"]
mod workspaces;
