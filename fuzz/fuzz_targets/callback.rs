#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| scaigate_fuzz::callback(input));
