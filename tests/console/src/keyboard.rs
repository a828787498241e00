//! A person with a keyboard and nothing else.

use serde_json::{Value, json};

use crate::Chromium;

/// Keys without a letter, as WebDriver calls them.
pub struct Key;

impl Key {
    /// Arrow down.
    pub const DOWN: char = '\u{e015}';
    /// Enter.
    pub const ENTER: char = '\u{e007}';
    /// Escape.
    pub const ESCAPE: char = '\u{e00c}';
    /// Tab.
    pub const TAB: char = '\u{e004}';
}

/// Steps from one control to the next until somebody gives up.
const MAX_STEPS: usize = 60;

impl Chromium {
    /// Presses keys, one after the other.
    pub async fn keys(&self, keys: &[char]) {
        let actions: Vec<Value> = keys
            .iter()
            .flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key })))
            .collect();
        let body = json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] });
        self.session.post("/actions", body).await.expect("keys");
    }

    /// What has the focus: its accessible name, or its text, and whether it is seen that it has it.
    pub async fn focused(&self) -> String {
        let name = self
            .run(
                "const at = document.activeElement; \
                 return at.getAttribute('aria-label') ?? (at.labels?.[0] ?? at).innerText.trim()",
            )
            .await;
        name.as_str().unwrap_or_default().to_owned()
    }

    /// Goes on from control to control with the tab key until one with this name has the focus, which
    /// must be seen.
    pub async fn tab_to(&self, name: &str) {
        let mut seen = Vec::new();
        for _ in 0..MAX_STEPS {
            self.keys(&[Key::TAB]).await;
            let focused = self.focused().await;
            if focused == name {
                let outline = self
                    .run("return getComputedStyle(document.activeElement).outlineStyle")
                    .await;
                assert_ne!(outline, "none", "{name}: nobody sees that it has the focus");
                return;
            }
            seen.push(focused);
        }
        panic!("the keyboard does not get to {name:?}, only to {seen:?}");
    }
}
