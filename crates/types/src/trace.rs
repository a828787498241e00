//! Which trace a request belongs to.

/// The trace of a `traceparent` (W3C Trace Context §3.2, version 00: `00-{32 hex}-{16 hex}-{2 hex}`, in
/// lower case, no id all zeros). `None` when it is none.
#[must_use]
pub fn trace_id(traceparent: &str) -> Option<&str> {
    let mut parts = traceparent.split('-');
    let mut next = || parts.next();
    let (version, trace, parent, flags) = (next()?, next()?, next()?, next()?);
    let is_hex = |text: &str, length: usize| {
        text.len() == length
            && text
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_id = |text: &str, length| is_hex(text, length) && text.bytes().any(|byte| byte != b'0');
    let is_one = next().is_none()
        && version == "00"
        && is_id(trace, 32)
        && is_id(parent, 16)
        && is_hex(flags, 2);
    is_one.then_some(trace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_standard_describes_has_a_trace() {
        const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
        let good = format!("00-{TRACE}-00f067aa0ba902b7-01");
        assert_eq!(trace_id(&good), Some(TRACE));
        for bad in [
            String::new(),
            TRACE.to_owned(),
            good.to_uppercase(),
            format!("{good}-00"),
            good.replacen("00-", "01-", 1),
            good.replace(TRACE, &"0".repeat(32)),
            good.replace("00f067aa0ba902b7", &"0".repeat(16)),
            good.replace(TRACE, &TRACE[1..]),
            good.replace("-01", "-1"),
            good.replace("-01", "\n01"),
        ] {
            assert_eq!(trace_id(&bad), None, "{bad}");
        }
    }
}
