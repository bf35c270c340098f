//! Access control: the only place where access is decided.
//!
//! | principal | may |
//! | --- | --- |
//! | local administrator | everything, in every region |
//! | logged-in user | everything in the project, in every region; nothing that is this machine's: no local processes or environments of theirs, nor commands beside them, logins at registries, users, mapped images, directories in place of data stores, and not the emulator itself |
//! | operator token | in its region, on apps its selector matches: everything; create apps that fall into its scope; tokens, registries, data stores and the names of other callers only when unscoped; commands in apps only where the emulator lets them; requests that went to no app, captured heads and replays never |
//! | read token | query matching apps through the gateway; ask who it is |
//! | anonymous | query apps with `unsecureHttp`; ask any app whether a page may ask it (a CORS preflight) |
//!
//! The caller has been authenticated before: a [`Principal::Token`] is a current version of a
//! living token with a good signature.

use std::fmt;
use std::sync::Arc;

use ovhai_api_types::{Labels, Region, Role, Selector, UnmetTerm};

use crate::model::session::SessionId;
use crate::model::token::TokenRecord;

/// Who asks.
#[derive(Debug, Clone)]
pub enum Principal {
    /// The local administrator: the project's and the emulator's owner.
    Administrator {
        /// The user's name.
        user: String,
    },
    /// A user who logged in.
    User {
        /// The user's name.
        name: String,
        /// The session, which ends.
        session: SessionId,
    },
    /// The holder of an application token.
    Token(Arc<TokenRecord>),
    /// A caller without credentials.
    Anonymous,
}

impl Principal {
    /// The name in logs, and the `user` of what it creates.
    pub fn name(&self) -> &str {
        match self {
            Self::Administrator { user } => user,
            Self::User { name, .. } => name,
            Self::Token(token) => &token.name,
            Self::Anonymous => "anonymous",
        }
    }

    /// Whether it holds the current string of this token.
    pub fn holds(&self, token: &TokenRecord) -> bool {
        matches!(self, Self::Token(of) if of.id == token.id && of.version == token.version)
    }

    /// The scope that limits the apps it sees.
    pub fn scope(&self) -> Option<&Selector> {
        match self {
            Self::Token(token) => token.selector.as_ref(),
            _ => None,
        }
    }
}

/// The action that a caller asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Send a request to an app through the gateway.
    Query,
    /// Ask an app, through the gateway, whether a page from elsewhere may send it a request: a
    /// browser does so without credentials.
    Preflight,
    /// List apps, or see one.
    Read,
    /// Read an app's output.
    Logs,
    /// Start it.
    Start,
    /// Stop it.
    Stop,
    /// Delete it.
    Delete,
    /// Change its labels.
    Label,
    /// Change its image.
    Image,
    /// Change its number of replicas.
    Scale,
    /// Change its ports, environment or deployment strategy.
    Update,
    /// Create an app.
    Create,
    /// Run an app's command as a local process though that is not the emulator's default: the command
    /// runs under the account of the emulator's owner.
    RunProcess,
    /// Give a local process the environment of a command line, or set variables of one that has such
    /// an environment, which they could reveal.
    PassEnvironment,
    /// Name an image that is pulled with this machine's own logins at registries.
    MachineLogins,
    /// Run a command in an app's container, or copy files from or to it.
    Exec,
    /// The same at an emulator that lets operator tokens do so (`--token-exec`).
    TokenExec,
    /// Run a command beside an app's local process, or copy files: it runs under the account of the
    /// emulator's owner.
    ExecProcess,
    /// Any of the actions above on an app but running commands in it, or reading its output.
    Manage,
    /// List, make, renew and delete tokens.
    Tokens,
    /// List, add, change and delete registries.
    Registries,
    /// List, add and remove data stores, and see and change the objects in them.
    DataStores,
    /// Name a directory of this machine as a data store.
    NameHostDirectory,
    /// Change what is in a directory that the owner named as a data store, also by an app's volume that is
    /// written back.
    WriteHostDirectory,
    /// Fetch a volume from a Git repository that is not public: a local one, one at a private address.
    PrivateRepository,
    /// See, add and remove users, and set their passwords.
    Users,
    /// Map images to local commands.
    MapImages,
    /// See which requests were sent to an app, and what was decided about them.
    Requests,
    /// See which callers sent them, beside the caller's own.
    Callers,
    /// See the requests that went to no app: to the API, to the emulator itself, to no host of it,
    /// to apps that do not exist.
    OtherRequests,
    /// Capture the heads of requests to an app for some time, and read them.
    Capture,
    /// Have the emulator send a request to an app again.
    Replay,
    /// Set the counters of requests to zero, for every reader.
    ResetCounters,
    /// Ask who it is.
    Me,
    /// Stop the emulator itself.
    Shutdown,
    /// Make a link that logs a browser in to the console as the caller.
    OpenConsole,
    /// See and move domain time.
    MoveClock,
    /// Have the platform interrupt an app.
    Interrupt,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 38] = [
        Self::Query,
        Self::Preflight,
        Self::Read,
        Self::Logs,
        Self::Start,
        Self::Stop,
        Self::Delete,
        Self::Label,
        Self::Image,
        Self::Scale,
        Self::Update,
        Self::Create,
        Self::RunProcess,
        Self::PassEnvironment,
        Self::MachineLogins,
        Self::Exec,
        Self::TokenExec,
        Self::ExecProcess,
        Self::Manage,
        Self::Tokens,
        Self::Registries,
        Self::DataStores,
        Self::NameHostDirectory,
        Self::WriteHostDirectory,
        Self::PrivateRepository,
        Self::Users,
        Self::MapImages,
        Self::Requests,
        Self::Callers,
        Self::OtherRequests,
        Self::Capture,
        Self::Replay,
        Self::ResetCounters,
        Self::Me,
        Self::Shutdown,
        Self::OpenConsole,
        Self::MoveClock,
        Self::Interrupt,
    ];

    /// Whether it concerns this machine and not the project.
    fn is_owner_only(self) -> bool {
        matches!(
            self,
            Self::RunProcess
                | Self::PassEnvironment
                | Self::MachineLogins
                | Self::ExecProcess
                | Self::NameHostDirectory
                | Self::WriteHostDirectory
                | Self::PrivateRepository
                | Self::Users
                | Self::MapImages
                | Self::ResetCounters
                | Self::Shutdown
                | Self::OpenConsole
                | Self::MoveClock
                | Self::Interrupt
        )
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Query => "query apps",
            Self::Preflight => "ask what pages may",
            Self::Read => "see apps through the API",
            Self::Logs => "read logs",
            Self::Start => "start apps",
            Self::Stop => "stop apps",
            Self::Delete => "delete apps",
            Self::Label => "change labels",
            Self::Image => "change images",
            Self::Scale => "scale apps",
            Self::Update => "update apps",
            Self::Create => "create apps",
            Self::RunProcess => "run local processes",
            Self::PassEnvironment => {
                "pass an environment to a local process, or set variables beside it"
            }
            Self::MachineLogins => "pull images with this machine's logins",
            Self::Exec | Self::TokenExec => "run commands in apps or copy their files",
            Self::ExecProcess => "run commands beside a local process or copy its files",
            Self::Manage => "manage apps",
            Self::Tokens => "manage tokens",
            Self::Registries => "manage registries",
            Self::DataStores => "manage data stores",
            Self::NameHostDirectory => "name a directory of this machine as a data store",
            Self::WriteHostDirectory => "change a directory of this machine that is a data store",
            Self::PrivateRepository => {
                "attach a Git repository that is local, at a private address, or not reached by http or https"
            }
            Self::Users => "manage users",
            Self::MapImages => "map images",
            Self::Requests => "see requests",
            Self::Callers => "see who sent requests",
            Self::OtherRequests => "see requests that went to no app",
            Self::Capture => "capture requests",
            Self::Replay => "replay requests",
            Self::ResetCounters => "reset the counters of requests",
            Self::Me => "ask who it is",
            Self::Shutdown => "stop the emulator",
            Self::OpenConsole => "make links that open the console",
            Self::MoveClock => "move the emulator's clock",
            Self::Interrupt => "interrupt apps",
        }
    }
}

/// The object of an action.
#[derive(Debug, Clone, Copy)]
pub enum Resource<'a> {
    /// An app, or one that is about to be created.
    App {
        /// Its region.
        region: &'a Region,
        /// Its labels.
        labels: &'a Labels,
        /// Whether it is open to everybody.
        public: bool,
    },
    /// The region as a whole: lists, tokens, the caller itself.
    Region(&'a Region),
}

impl Resource<'_> {
    fn region(&self) -> &Region {
        match self {
            Self::App { region, .. } | Self::Region(region) => region,
        }
    }
}

/// The outcome of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The caller has access.
    Allow,
    /// The caller is not authenticated.
    Unauthenticated,
    /// The caller is authenticated and has no access.
    Forbidden,
    /// The caller is authenticated and the app is outside its scope: lists do not have it.
    OutOfScope,
}

/// Why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// The project's owner may do everything.
    Administrator,
    /// A user who logged in may do everything in the project.
    User,
    /// The app is open to everybody.
    Public,
    /// Browsers ask without credentials.
    Preflight,
    /// The token has no selector.
    Unscoped,
    /// The app satisfies the token's selector.
    InScope {
        /// The selector.
        selector: Selector,
    },
    /// Every known caller may do this.
    AnyToken,
    /// No credentials.
    Anonymous,
    /// The token is of another region.
    OtherRegion {
        /// The token's region.
        token: Region,
        /// The region of the request.
        asked: Region,
    },
    /// The role does not include the action.
    Role {
        /// The token's role.
        role: Role,
        /// What was asked for.
        action: Action,
    },
    /// The app does not satisfy the token's selector.
    OutOfScope {
        /// The selector.
        selector: Selector,
        /// the term that does not match.
        unmet: UnmetTerm,
    },
    /// Only tokens without a selector may manage what belongs to the whole region.
    ScopedToken {
        /// The selector.
        selector: Selector,
        /// What was asked for.
        action: Action,
    },
    /// The string is an older one of its token.
    OldVersion {
        /// The string's version.
        string: u32,
        /// The token's.
        current: u32,
    },
    /// The string's token was deleted.
    Deleted,
    /// The string was not signed by this emulator, or is damaged.
    NotIssuedHere,
    /// No application token may do this, whatever its role and selector.
    NotForTokens {
        /// What was asked for.
        action: Action,
    },
    /// The action concerns this machine, not the project: only the emulator's owner may do it.
    OwnerOnly {
        /// What was asked for.
        action: Action,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Administrator => f.write_str("the project's administrator may do everything"),
            Self::User => f.write_str("a logged-in user may do everything in the project"),
            Self::Preflight => f.write_str("a CORS preflight needs no credentials"),
            Self::Public => f.write_str("the app is open to everybody (unsecureHttp)"),
            Self::Unscoped => {
                f.write_str("the token has no label selector: it matches every app of its region")
            }
            Self::InScope { selector } => {
                write!(f, "the app satisfies the token's selector {selector}")
            }
            Self::AnyToken => f.write_str("every token may do this"),
            Self::Anonymous => f.write_str("authentication is required"),
            Self::OtherRegion { token, asked } => {
                write!(f, "the token is for region {token}, not for {asked}")
            }
            Self::Role { role, action } => {
                write!(f, "a token of the role {role} may not {}", action.verb())
            }
            Self::OutOfScope { selector, unmet } => {
                write!(f, "{unmet}: the app is outside the token's selector {selector}")
            }
            Self::ScopedToken { selector, action } => {
                write!(f, "a token with a label selector ({selector}) may not {}", action.verb())
            }
            Self::OldVersion { string, current } => write!(
                f,
                "the string is version {string} of its token, which is at version {current} since it was regenerated"
            ),
            Self::Deleted => f.write_str("the token was deleted"),
            Self::NotIssuedHere => {
                f.write_str("the string was not issued by this emulator, or is not complete")
            }
            Self::NotForTokens { action } => {
                write!(f, "an application token may not {}", action.verb())?;
                if *action == Action::Exec {
                    f.write_str(", unless the emulator was started with --token-exec")?;
                }
                Ok(())
            }
            Self::OwnerOnly { action } => {
                write!(f, "only the emulator's owner may {}", action.verb())?;
                if *action == Action::RunProcess {
                    f.write_str(", unless the emulator was started with --runtime process")?;
                }
                Ok(())
            }
        }
    }
}

/// An outcome and its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// The outcome.
    pub effect: Effect,
    /// Why.
    pub reason: Reason,
}

impl Decision {
    /// Whether the caller has access.
    pub fn is_allowed(&self) -> bool {
        self.effect == Effect::Allow
    }

    fn new(effect: Effect, reason: Reason) -> Self {
        Self { effect, reason }
    }
}

/// Decides. See the table at the top of the module.
pub fn decide(principal: &Principal, action: Action, resource: &Resource<'_>) -> Decision {
    if action == Action::Query
        && let Resource::App { public: true, .. } = resource
    {
        return Decision::new(Effect::Allow, Reason::Public);
    }
    if action == Action::Preflight
        && let Resource::App { .. } = resource
    {
        return Decision::new(Effect::Allow, Reason::Preflight);
    }
    let token = match principal {
        Principal::Administrator { .. } => {
            return Decision::new(Effect::Allow, Reason::Administrator);
        }
        Principal::User { .. } if action.is_owner_only() => {
            return Decision::new(Effect::Forbidden, Reason::OwnerOnly { action });
        }
        Principal::User { .. } => return Decision::new(Effect::Allow, Reason::User),
        Principal::Anonymous => {
            return Decision::new(Effect::Unauthenticated, Reason::Anonymous);
        }
        Principal::Token(token) => token,
    };
    let asked = resource.region();
    if token.region != *asked {
        return Decision::new(
            Effect::Unauthenticated,
            Reason::OtherRegion { token: token.region.clone(), asked: asked.clone() },
        );
    }
    if action == Action::Me {
        return Decision::new(Effect::Allow, Reason::AnyToken);
    }
    if token.role != Role::Operator && action != Action::Query {
        return Decision::new(Effect::Forbidden, Reason::Role { role: token.role, action });
    }
    if action.is_owner_only() {
        return Decision::new(Effect::Forbidden, Reason::OwnerOnly { action });
    }
    if matches!(action, Action::OtherRequests | Action::Capture | Action::Replay | Action::Exec) {
        return Decision::new(Effect::Forbidden, Reason::NotForTokens { action });
    }
    let Some(selector) = token.selector.as_ref().filter(|selector| !selector.is_empty()) else {
        return Decision::new(Effect::Allow, Reason::Unscoped);
    };
    match resource {
        _ if matches!(
            action,
            Action::Tokens | Action::Registries | Action::DataStores | Action::Callers
        ) =>
        {
            Decision::new(
                Effect::Forbidden,
                Reason::ScopedToken { selector: selector.clone(), action },
            )
        }
        // The caller of this narrows lists to the scope.
        Resource::Region(_) => Decision::new(Effect::Allow, Reason::AnyToken),
        Resource::App { labels, .. } => match selector.first_unmet(labels) {
            None => Decision::new(Effect::Allow, Reason::InScope { selector: selector.clone() }),
            Some(unmet) => Decision::new(
                if action == Action::Create { Effect::Forbidden } else { Effect::OutOfScope },
                Reason::OutOfScope { selector: selector.clone(), unmet },
            ),
        },
    }
}

#[cfg(test)]
mod tests {
    use ovhai_api_types::{Timestamp, TokenId};
    use uuid::Uuid;

    use super::*;

    fn region(name: &str) -> Region {
        name.parse().expect("a region")
    }

    fn token(role: Role, selector: Option<&str>) -> Principal {
        Principal::Token(Arc::new(TokenRecord {
            id: TokenId(Uuid::nil()),
            region: region("GRA"),
            seq: 0,
            name: "t".into(),
            role,
            selector: selector.map(|s| s.parse().expect("a selector")),
            version: 1,
            created_at: Timestamp::UNIX_EPOCH,
            updated_at: Timestamp::UNIX_EPOCH,
        }))
    }

    /// The place an action is tried at.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum Place {
        InScope,
        OutOfScope,
        OtherRegion,
    }

    /// What the table in the module's documentation says, written as a table of its own.
    fn expected(who: &str, action: Action, place: Place) -> Effect {
        use Effect::{Allow, Forbidden, OutOfScope, Unauthenticated};
        let is_owner_only = matches!(
            action,
            Action::RunProcess
                | Action::PassEnvironment
                | Action::MachineLogins
                | Action::ExecProcess
                | Action::NameHostDirectory
                | Action::WriteHostDirectory
                | Action::PrivateRepository
                | Action::ResetCounters
                | Action::Shutdown
                | Action::OpenConsole
                | Action::Users
                | Action::MapImages
                | Action::MoveClock
                | Action::Interrupt
        );
        match (who, action, place) {
            ("administrator", _, _) | (_, Action::Preflight, _) => Allow,
            ("user", _, _) => {
                if is_owner_only {
                    Forbidden
                } else {
                    Allow
                }
            }
            ("nobody", _, _) | (_, _, Place::OtherRegion) => Unauthenticated,
            (_, Action::Me, _) => Allow,
            ("read" | "read unscoped", a, _) if a != Action::Query => Forbidden,
            _ if is_owner_only => Forbidden,
            (
                "operator" | "operator unscoped",
                Action::OtherRequests | Action::Capture | Action::Replay | Action::Exec,
                _,
            ) => Forbidden,
            ("read unscoped" | "operator unscoped", _, _) => Allow,
            (
                "operator",
                Action::Tokens | Action::Registries | Action::DataStores | Action::Callers,
                _,
            ) => Forbidden,
            ("operator", Action::Create, Place::OutOfScope) => Forbidden,
            (_, _, Place::OutOfScope) => OutOfScope,
            (_, _, Place::InScope) => Allow,
        }
    }

    #[test]
    fn the_table() {
        let principals = [
            ("administrator", Principal::Administrator { user: "me".into() }),
            ("user", Principal::User { name: "you".into(), session: SessionId(Uuid::nil()) }),
            ("operator", token(Role::Operator, Some("group=A"))),
            ("operator unscoped", token(Role::Operator, None)),
            ("operator unscoped", token(Role::Operator, Some(""))),
            ("read", token(Role::Read, Some("group=A"))),
            ("read unscoped", token(Role::Read, None)),
            ("nobody", Principal::Anonymous),
        ];
        let labels = |group: &str| -> Labels {
            [("group".parse().expect("key"), group.parse().expect("value"))].into_iter().collect()
        };
        let mut checked = 0;
        for (who, principal) in &principals {
            for action in Action::ALL {
                for place in [Place::InScope, Place::OutOfScope, Place::OtherRegion] {
                    let region = region(if place == Place::OtherRegion { "BHS" } else { "GRA" });
                    let labels = labels(if place == Place::OutOfScope { "B" } else { "A" });
                    let resource =
                        Resource::App { region: &region, labels: &labels, public: false };
                    let decision = decide(principal, action, &resource);
                    assert_eq!(
                        decision.effect,
                        expected(who, action, place),
                        "{who} {action:?} {place:?}: {}",
                        decision.reason
                    );
                    checked += 1;
                }
            }
        }
        assert_eq!(checked, 8 * Action::ALL.len() * 3);
    }

    /// Lists, tokens and the caller itself are asked for of a region.
    #[test]
    fn the_table_for_regions() {
        use Effect::{Allow, Forbidden, Unauthenticated};
        let (gra, bhs) = (region("GRA"), region("BHS"));
        let scoped = token(Role::Operator, Some("group=A"));
        let unscoped = token(Role::Operator, None);
        let reader = token(Role::Read, None);
        for (principal, action, effect) in [
            (&scoped, Action::Read, Allow),
            (&scoped, Action::Create, Allow),
            (&scoped, Action::Me, Allow),
            (&scoped, Action::Tokens, Forbidden),
            (&scoped, Action::DataStores, Forbidden),
            (&unscoped, Action::DataStores, Allow),
            (&unscoped, Action::NameHostDirectory, Forbidden),
            (&unscoped, Action::WriteHostDirectory, Forbidden),
            (&unscoped, Action::PrivateRepository, Forbidden),
            (&reader, Action::DataStores, Forbidden),
            (&scoped, Action::Requests, Allow),
            (&scoped, Action::Callers, Forbidden),
            (&unscoped, Action::Callers, Allow),
            (&unscoped, Action::OtherRequests, Forbidden),
            (&unscoped, Action::Capture, Forbidden),
            (&unscoped, Action::Replay, Forbidden),
            (&reader, Action::Requests, Forbidden),
            (&scoped, Action::Shutdown, Forbidden),
            (&unscoped, Action::ResetCounters, Forbidden),
            (&unscoped, Action::Tokens, Allow),
            (&unscoped, Action::Shutdown, Forbidden),
            (&unscoped, Action::RunProcess, Forbidden),
            (&unscoped, Action::PassEnvironment, Forbidden),
            (&unscoped, Action::MachineLogins, Forbidden),
            (&unscoped, Action::Exec, Forbidden),
            (&unscoped, Action::TokenExec, Allow),
            (&unscoped, Action::ExecProcess, Forbidden),
            (&reader, Action::TokenExec, Forbidden),
            (&reader, Action::Read, Forbidden),
            (&reader, Action::Tokens, Forbidden),
            (&reader, Action::Me, Allow),
            (&Principal::Anonymous, Action::Me, Unauthenticated),
        ] {
            let decision = decide(principal, action, &Resource::Region(&gra));
            assert_eq!(decision.effect, effect, "{principal:?} {action:?}");
            let elsewhere = decide(principal, action, &Resource::Region(&bhs));
            assert_eq!(elsewhere.effect, Unauthenticated, "{principal:?} {action:?}");
        }
    }

    #[test]
    fn open_apps_are_open_only_to_queries() {
        let (region, labels) = (region("GRA"), Labels::new());
        let open = Resource::App { region: &region, labels: &labels, public: true };
        for action in Action::ALL {
            let effect = decide(&Principal::Anonymous, action, &open).effect;
            let wanted = match action {
                Action::Query | Action::Preflight => Effect::Allow,
                _ => Effect::Unauthenticated,
            };
            assert_eq!(effect, wanted, "{action:?}");
        }
    }

    #[test]
    fn reasons_name_the_term() {
        let (region, labels) = (region("GRA"), Labels::new());
        let app = Resource::App { region: &region, labels: &labels, public: false };
        let reason = decide(&token(Role::Read, Some("group=A")), Action::Query, &app).reason;
        assert_eq!(
            reason.to_string(),
            "group=A does not match (the app has no label group): the app is outside the token's selector group=A"
        );
    }
}
