//! How each thing outside of this process is called.

use std::{sync::Arc, time::Duration};

use warren_runtime::dependency::{
    AtOnce, Dependencies, Dependency, DependencyError, DependencyName, DependencySettings,
};

/// The mail server: slow by nature, and never in the way of a request.
pub(crate) fn smtp(dependencies: &Dependencies) -> Result<Arc<Dependency>, DependencyError> {
    let settings = DependencySettings {
        at_once: AtOnce::Fixed(8),
        wait_max: Duration::from_secs(20),
        // A little more than what the mailer itself allows, so that its words are heard.
        time_limit: Duration::from_secs(35),
        ..DependencySettings::default()
    };
    dependencies.add(DependencyName::new("smtp"), settings)
}
