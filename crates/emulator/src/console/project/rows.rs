//! What the project's page lists: users and registries. No page contains a password.

use std::sync::Arc;

use ovhai_api_types::{PasswordState, Region};
use ovhai_core::model::UserRecord;

use crate::console::text::{self, Look};
use crate::console::visit::Visit;

/// A user.
pub(super) struct UserRow {
    pub(super) name: String,
    pub(super) created: String,
    pub(super) changed: String,
}

/// The users, or why they are not shown.
pub(super) fn users(visit: &Visit) -> Result<Vec<UserRow>, String> {
    let row = |user: &Arc<UserRecord>| UserRow {
        name: user.name.clone(),
        created: text::moment(user.created_at),
        changed: text::moment(user.updated_at),
    };
    let all = visit.console.platform.list_users(&visit.who).map_err(|error| error.to_string())?;
    Ok(all.iter().map(row).collect())
}

/// A registry.
pub(super) struct RegistryRow {
    pub(super) id: String,
    pub(super) region: Region,
    pub(super) url: String,
    pub(super) username: String,
    pub(super) password: Look,
    pub(super) user: String,
    pub(super) changed: String,
}

/// The registries of all regions that the caller may manage, or why there are none.
pub(super) fn registries(visit: &Visit) -> Result<Vec<RegistryRow>, String> {
    let platform = &visit.console.platform;
    let (mut rows, mut is_allowed, mut refused) = (Vec::new(), false, None);
    for region in &platform.settings().regions {
        match platform.list_registries(&visit.who, region) {
            Ok(registries) => {
                is_allowed = true;
                rows.extend(registries.iter().map(|registry| RegistryRow {
                    id: registry.id.to_string(),
                    region: region.clone(),
                    url: registry.url.clone(),
                    username: registry.username.clone(),
                    password: password(platform.password_state(registry)),
                    user: registry.user.clone(),
                    changed: text::moment(registry.updated_at),
                }));
            }
            // A token's own region says why; the others only that it is not theirs.
            Err(error) if visit.region().is_none_or(|own| own == region) => {
                refused.get_or_insert(error.to_string());
            }
            Err(_) => {}
        }
    }
    match refused {
        Some(why) if !is_allowed => Err(why),
        _ => Ok(rows),
    }
}

fn password(state: PasswordState) -> Look {
    match state {
        PasswordState::Stored => Look { word: "stored", icon: "lock", class: "good" },
        PasswordState::Missing => Look { word: "missing", icon: "triangle-alert", class: "busy" },
        PasswordState::Unreadable => Look { word: "unreadable", icon: "circle-x", class: "bad" },
    }
}
