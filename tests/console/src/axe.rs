//! axe-core, which looks for what keeps people out.

use serde_json::{Value, json};

use crate::Chromium;
use crate::chromium::target;

/// Where `cargo xtask test` puts it.
const FILE: &str = "axe-core/node_modules/axe-core/axe.min.js";

/// Every rule of WCAG 2.2 up to AA, and what is good practice beyond.
const RUN: &str = "const done = arguments[arguments.length - 1]; \
    axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }) \
    .then((found) => done({ violations: found.violations, passes: found.passes.length }), \
          (error) => done({ error: String(error) }))";

impl Chromium {
    /// Fails when axe-core finds something on the page as it is now.
    pub async fn is_accessible(&self, what: &str) {
        let file = target().join(FILE);
        let source = std::fs::read_to_string(&file).unwrap_or_else(|error| {
            panic!(
                "{}: {error}; `cargo xtask test` installs axe-core there (npm install --prefix {} axe-core)",
                file.display(),
                target().join("axe-core").display()
            )
        });
        self.run(&source).await;
        let found = self.run_async(RUN).await;
        assert!(
            found["passes"].as_u64() > Some(10),
            "{what}: axe-core looked at nothing: {found}"
        );
        let violations = found["violations"].as_array().cloned().unwrap_or_default();
        let told: Vec<Value> = violations
            .iter()
            .map(|found| json!({ "id": found["id"], "help": found["help"], "where": found["nodes"] }))
            .collect();
        assert!(told.is_empty(), "{what}: {}", Value::from(told));
    }
}
