//! Checks of single values, whose errors name the field and the allowed values.

use crate::error::{Error, Result};

pub(crate) fn within(field: &str, value: i64, min: u32, max: u32) -> Result<u32> {
    u32::try_from(value)
        .ok()
        .filter(|value| (min..=max).contains(value))
        .ok_or_else(|| Error::invalid(field, format!("{value} is not allowed: use {min} to {max}")))
}

pub(crate) fn text(field: &str, value: &str, max: usize) -> Result<String> {
    let chars = value.chars().count();
    if chars == 0 || chars > max {
        return Err(Error::invalid(field, format!("{chars} characters: use 1 to {max}")));
    }
    if value.chars().any(char::is_control) {
        return Err(Error::invalid(field, "control characters are not allowed"));
    }
    Ok(value.to_owned())
}
