//! What somebody may.

use serde::{Deserialize, Serialize};

/// What somebody may do; each may do all that those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look at everything.
    Audit,
    /// Move and stop services, request states, put nodes in maintenance.
    Operate,
    /// Everything.
    Admin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Audit, Self::Operate, Self::Admin];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Operate => "operate",
            Self::Admin => "admin",
        }
    }

    /// Whether it has a privilege.
    #[must_use]
    pub fn has(self, privilege: Privilege) -> bool {
        self >= privilege.role()
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == text);
        found.ok_or_else(|| format!("'{text}' is no role: expected 'audit', 'operate' or 'admin'"))
    }
}

/// A privilege, by the names that clients know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Privilege {
    /// See the cluster.
    SysAudit,
    /// See guests.
    VmAudit,
    /// Start and stop services.
    VmPowerMgmt,
    /// Move services.
    VmMigrate,
    /// Change what is looked after, and how.
    SysConsole,
    /// Change the cluster.
    SysModify,
}

/// All privileges.
pub const PRIVILEGES: [Privilege; 6] = [
    Privilege::SysAudit,
    Privilege::VmAudit,
    Privilege::VmPowerMgmt,
    Privilege::VmMigrate,
    Privilege::SysConsole,
    Privilege::SysModify,
];

impl Privilege {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SysAudit => "Sys.Audit",
            Self::VmAudit => "VM.Audit",
            Self::VmPowerMgmt => "VM.PowerMgmt",
            Self::VmMigrate => "VM.Migrate",
            Self::SysConsole => "Sys.Console",
            Self::SysModify => "Sys.Modify",
        }
    }

    /// The least role that has it.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::SysAudit | Self::VmAudit => Role::Audit,
            Self::VmPowerMgmt | Self::VmMigrate => Role::Operate,
            Self::SysConsole | Self::SysModify => Role::Admin,
        }
    }
}

/// How somebody has shown who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Means {
    /// By a token.
    Token,
    /// By a ticket from a login.
    Ticket,
    /// By the other end of a local socket.
    Peer,
    /// By the login of a program that this is part of.
    Embedder,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The name: a user, a token, or `unix:UID`.
    pub name: String,
    /// What it may.
    pub role: Role,
    /// How it is known.
    pub means: Means,
}
