//! What a sign-in came to: what the app is told, what ScaiKey was asked, what was kept.

use crate::{Answer, Browser, World};

impl Answer {
    /// Fails unless the browser is sent back to the first `app_url` with the error `code`, and with
    /// nothing that could be redeemed.
    #[track_caller]
    pub fn assert_told(&self, code: &str) {
        assert_eq!(self.status, 303, "{}", self.text());
        let to = self.location();
        assert!(to.starts_with("http://127.0.0.1:5173/auth/done?"), "{to}");
        assert_eq!(self.location_parameter("error"), code, "{to}");
        assert_eq!(self.location_parameter("session_code"), "");
        assert!(!self.location_parameter("error_description").is_empty());
        assert!(!self.location_parameter("state").is_empty());
    }
}

impl Browser {
    /// Brings ScaiKey's answer, and fails unless it leads to a session code.
    pub async fn completes(&self, back: &str) {
        let answer = self.get(back).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let code = answer.location_parameter("session_code");
        assert!(!code.is_empty(), "{}", answer.location());
    }
}

impl World {
    /// How often ScaiKey was asked to exchange a code.
    #[must_use]
    pub fn exchanges(&self) -> usize {
        self.scaikey.recorder().count_grant("authorization_code")
    }

    /// Everything the embedded runner's stores keep, as a thief would read it.
    #[must_use]
    pub fn stored_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for entry in std::fs::read_dir(self.host().state_directory()).expect("the state directory")
        {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                bytes.extend(std::fs::read(path).expect("a readable file"));
            }
        }
        assert!(!bytes.is_empty(), "something is kept");
        bytes
    }
}
