//! Whatever is parsed is displayed and parsed again to the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ovhai_api_types::{Labels, Selector};

fuzz_target!(|text: &str| {
    if let Ok(selector) = text.parse::<Selector>() {
        let again = selector.to_string().parse::<Selector>();
        assert_eq!(again.as_ref(), Ok(&selector), "{text:?}");
        let labels = Labels::new();
        assert_eq!(selector.matches(&labels), selector.first_unmet(&labels).is_none());
    }
});
