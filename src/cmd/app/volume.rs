//! `--volume`: the short form, or the wire's JSON.

use ovhai_api_types::Volume;

/// Reads either form.
pub(super) fn volume(text: &str) -> Result<Volume, String> {
    if text.starts_with(Volume::JSON_START) {
        return serde_json::from_str(text).map_err(|error| format!("not a volume: {error}"));
    }
    text.parse().map_err(|error: ovhai_api_types::InvalidVolume| error.to_string())
}
