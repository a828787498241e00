#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let Ok(text) = str::from_utf8(input) {
        // Refused or taken, never a panic.
        drop(scaigate_host::check_manifest(text));
    }
});
