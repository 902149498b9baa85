//! How something is changed.

use clap::Args;

/// How a change is made.
#[derive(Debug, Args)]
pub(crate) struct ChangeOptions {
    /// Properties to unset, separated by commas.
    #[arg(long, value_name = "PROPERTIES", value_delimiter = ',')]
    pub(crate) delete: Vec<String>,
    /// Change it only if the file has this digest.
    #[arg(long)]
    pub(crate) digest: Option<String>,
}

/// How something is done that takes several steps, each of which is waited for.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct StepsManner {
    /// Tell what would follow, and change nothing.
    #[arg(long, alias = "dry_run")]
    pub(crate) dry_run: bool,
    /// For how many seconds each step is waited for at most.
    #[arg(long, value_name = "SECONDS", require_equals = true, default_value_t = 300)]
    pub(crate) wait: u64,
    /// As JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Properties that were given, by key.
pub(crate) type Given<'a> = Vec<(&'a str, &'a str)>;

pub(super) fn given<'a>(options: &[(&'a str, &'a Option<String>)]) -> Given<'a> {
    options.iter().filter_map(|(key, value)| Some((*key, value.as_deref()?))).collect()
}
