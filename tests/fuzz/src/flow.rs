//! Flows and manifests that authors post.

use scaigate_flows::Content;
use scaigate_flows::content::{MAX_CONTENT, MAX_DEPTH};
use scaigate_flows::manifest::{MAX_BYTES, Manifest};
use serde_json::value::RawValue;

use crate::fixed::assert_sentence;
use crate::lines::text;

/// The content of a flow: kept to the byte, or refused.
pub fn flow_content(input: &[u8]) {
    let Ok(raw) = serde_json::from_slice::<Box<RawValue>>(input) else {
        return;
    };
    let received = raw.get().as_bytes().to_vec();
    let Ok(content) = Content::new(raw) else {
        let opened = received
            .iter()
            .filter(|byte| matches!(byte, b'[' | b'{'))
            .count();
        assert!(received.len() > MAX_CONTENT || opened > MAX_DEPTH);
        return;
    };
    assert_eq!(content.as_bytes(), received);
    assert!(received.len() <= MAX_CONTENT);
    if let Some(text) = content.text() {
        assert_eq!(serde_json::from_slice::<String>(&received).ok(), Some(text));
    }
    assert_eq!(
        Manifest::of_content(&content),
        Manifest::of_saved(&received)
    );
}

/// The text of a manifest: sent on as it is, or refused.
pub fn flow_manifest(input: &[u8]) {
    let Some(text) = text(input) else { return };
    let manifest = match Manifest::read(text.to_owned()) {
        Ok(manifest) => manifest,
        Err(error) => return assert_sentence(&error),
    };
    assert!(text.len() <= MAX_BYTES);
    assert_eq!(manifest.text(), text);
    let saved = serde_json::to_vec(text).expect("a text is JSON");
    assert_eq!(Manifest::of_saved(&saved).as_ref(), Ok(&manifest));
}
