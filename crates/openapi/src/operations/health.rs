//! `health`: what works, what does not, and what to do about it.

use scaigate_problem::Code::{ConfigurationInvalid, SchemaNewer, StoreUnavailable};

use crate::Operation;
use crate::codes::ADMINISTRATOR;
use crate::schema::named;

fn health(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    Operation::new("health", "GET", path, id, summary)
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        health("/v1/health", "alive", "Whether the component runs")
            .about("Touches no store, no setting, no host.")
            .json(200, "It does.", named("Health")),
        health(
            "/v1/health/ready",
            "ready",
            "Whether requests can be served",
        )
        .about("The settings by which callers are known, and both stores; not ScaiKey or ScaiGrid.")
        .fails(&[ConfigurationInvalid, StoreUnavailable, SchemaNewer])
        .json(200, "They can.", named("Health")),
        health(
            "/v1/health/detailed",
            "health",
            "Every check, and every finding with its fix",
        )
        .bearer()
        .limited()
        .fails(ADMINISTRATOR)
        .answers(
            200,
            "The report; ten seconds old at most.",
            Some("application/json"),
            Some(named("HealthReport")),
            &["server-timing"],
        ),
    ]
}
