//! Flags of the commands that serve: `staging`, `proxy`; and of the embedded shop.
//!
//! Records, decides nothing.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use super::TargetArgs;
use crate::base::duration::Period;

/// Flags of the embedded staging system.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(in crate::cli) struct ShopArgs {
    /// A real PostgreSQL for the embedded staging system
    #[arg(long, value_name = "postgres://…")]
    pub(in crate::cli) database: Option<String>,
    /// Which carts the embedded staging system has
    #[arg(long, value_enum)]
    pub(in crate::cli) data: Option<Data>,
}

/// Which carts the embedded staging system has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Data {
    /// Three carts in ten have 60 lines
    Realistic,
    /// Every cart has 3, as test data do
    TestLike,
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct StagingArgs {
    /// Port of the public side; 0 takes a free one
    #[arg(long, default_value_t = 8080, value_name = "PORT")]
    pub(in crate::cli) port: u16,
    /// Port of the admin side; 0 takes a free one
    #[arg(long, default_value_t = 8090, value_name = "PORT")]
    pub(in crate::cli) admin_port: u16,
    /// Environment variable with the admin token; one is made and printed when it is not set
    #[arg(long, default_value = "SQUALL_STAGING_TOKEN", value_name = "NAME")]
    pub(in crate::cli) token_env: String,
    /// Where alerts are posted (`PagerDuty` Events v2)
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) alerts_to: Option<String>,
    /// The staging system's own log, JSON lines
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) log: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) shop: ShopArgs,
    #[command(flatten)]
    pub(in crate::cli) target: TargetArgs,
}

#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct ProxyArgs {
    /// Where the API listens; off loopback only with --token-file
    #[arg(long, default_value = "127.0.0.1:8474", value_name = "ADDRESS:PORT")]
    pub(in crate::cli) api: String,
    /// Proxies and faults to begin with (.ron), or a `/populate` array (.json)
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) config: Option<String>,
    /// How long a toxic lives after its last change; 0s: until it is removed
    #[arg(long, default_value = "1h", value_name = "1h")]
    pub(in crate::cli) toxic_ttl: Period,
    /// Proxies may listen here, beside loopback; may be repeated
    #[arg(long, value_name = "CIDR")]
    pub(in crate::cli) allow_listen: Vec<String>,
    /// A name of the API's host beside loopback and localhost; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) api_host: Vec<String>,
    /// A file with the token that every request must bear
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) token_file: Option<PathBuf>,
    /// Keep a drill's run instead: its proxies, leases and undos; started by the drill itself
    #[arg(long, value_name = "RUN-DIR", conflicts_with_all = ["config", "token_file", "toxic_ttl"])]
    pub(in crate::cli) keeper: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) target: TargetArgs,
}
