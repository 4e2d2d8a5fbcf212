//! The options that bound how many jobs are worked on at once, and say whom to tell of decisions.

use std::path::PathBuf;

use clap::Args;
use warren_app::{dependencies::operator_rules, scaling::ScalingConfig};

use crate::Failure;

/// How places for jobs grow and shrink.
#[derive(Debug, Clone, Args)]
pub struct ScalingOptions {
    /// Jobs that are worked on at once, at least.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(4..=64))]
    job_places_min: u32,
    /// Jobs that are worked on at once, at most; how many it is in between follows from how long jobs wait.
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u32).range(4..=64))]
    job_places_max: u32,
    /// Where decisions to have more or fewer, and alerts of what runs short, are sent as signed messages.
    #[arg(long, value_name = "URL", requires = "scaling_webhook_secret_file")]
    scaling_webhook: Option<String>,
    /// A file with the secret that these messages are signed with, as whsec_….
    #[arg(long, value_name = "FILE")]
    scaling_webhook_secret_file: Option<PathBuf>,
}

impl ScalingOptions {
    /// The bounds, and whom to tell.
    ///
    /// # Errors
    /// [`Failure::Usage`] when they do not go together or the address cannot be used.
    pub fn config(&self) -> Result<ScalingConfig, Failure> {
        if self.job_places_min > self.job_places_max {
            return Err(Failure::Usage(
                "--job-places-min is more than --job-places-max; give it a smaller number".into(),
            ));
        }
        let webhook = match (&self.scaling_webhook, &self.scaling_webhook_secret_file) {
            (Some(url), Some(file)) => {
                let refused =
                    |_| Failure::Usage(format!("{url} is no address of a webhook; write it as https://host/path"));
                Some((operator_rules().check_url(url).map_err(refused)?, file.clone()))
            }
            _ => None,
        };
        Ok(ScalingConfig { places_min: self.job_places_min, places_max: self.job_places_max, webhook })
    }
}
