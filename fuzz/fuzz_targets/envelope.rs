//! Hands the fuzzer's bytes to [`verify_signatures_fuzz::envelope::check`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| verify_signatures_fuzz::envelope::check(data));
