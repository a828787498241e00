//! A person with a keyboard and nothing else.

use fantoccini::actions::{ActionSequence, InputSource, KeyAction, KeyActions};
use fantoccini::key::Key;

use crate::Chromium;

/// Steps from one control to the next until somebody gives up.
const MAX_STEPS: usize = 60;

impl Chromium {
    /// Presses keys, one after the other.
    pub async fn keys(&self, keys: &[char]) {
        let mut actions = KeyActions::new("keyboard".to_owned());
        for key in keys {
            actions = actions
                .then(KeyAction::Down { value: *key })
                .then(KeyAction::Up { value: *key });
        }
        let sequence: ActionSequence = actions.into();
        self.client.perform_actions(sequence).await.expect("keys");
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
            self.keys(&[Key::Tab.into()]).await;
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
