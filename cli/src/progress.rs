//! What a long command is doing.

use std::time::Duration;

use indicatif::ProgressBar;

use crate::arguments::Progress;
use crate::{output, secrets, terminal};

/// One line that says it.
pub struct Line {
    bar: Option<ProgressBar>,
    is_plain: bool,
    last: String,
}

impl Line {
    /// `None` where nobody would see it.
    pub fn new(progress: Progress) -> Option<Self> {
        let bar = match progress {
            Progress::None => return None,
            Progress::Auto if !output::is_watched() => return None,
            Progress::Plain => None,
            Progress::Auto => {
                let bar = ProgressBar::new_spinner();
                bar.enable_steady_tick(Duration::from_millis(120));
                Some(bar)
            }
        };
        Some(Self {
            bar,
            is_plain: progress == Progress::Plain,
            last: String::new(),
        })
    }

    /// Says what is being done now.
    pub fn say(&mut self, text: &str) {
        let text = secrets::redact(&terminal::short(text, 160));
        if text == self.last {
            return;
        }
        if let Some(bar) = &self.bar {
            bar.set_message(text.clone());
        }
        if self.is_plain {
            output::note(&text);
        }
        self.last = text;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
