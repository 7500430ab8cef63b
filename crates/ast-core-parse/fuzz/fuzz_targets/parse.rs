#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ast_core_parse_fuzz::parse(data));
