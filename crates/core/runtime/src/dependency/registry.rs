//! All dependencies of this process: for metrics, for the page, and for the operator who knows better.

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::Mutex;
use warren_model::Random;
use warren_resilience::InvalidSetting;

use super::{Dependency, DependencyName, DependencySettings, DependencyStatus};

/// More are a leak: whoever adds them one for each customer removes them as well.
const DEPENDENCIES_MAX: usize = 1000;

/// All dependencies of this process. Clones share them.
#[derive(Debug, Clone)]
pub struct Dependencies {
    random: Arc<dyn Random>,
    all: Arc<Mutex<BTreeMap<DependencyName, Arc<Dependency>>>>,
}

/// What an operator has done to a dependency's breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// Every call is refused.
    Open,
    /// Every call is made.
    Closed,
    /// It decides by itself again.
    Release,
}

/// Why a dependency was not added or not found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DependencyError {
    /// A setting is to be changed.
    #[error("{name}: {source}")]
    Setting { name: DependencyName, source: InvalidSetting },
    /// Others are to be removed first.
    #[error("there are {DEPENDENCIES_MAX} dependencies already; {name} cannot be added")]
    TooMany { name: DependencyName },
    /// There is none with this name.
    #[error("there is no dependency {name}; the list of dependencies shows their names")]
    Unknown { name: String },
}

impl Dependencies {
    /// None yet. `random` makes the waits between attempts uneven.
    pub fn new(random: Arc<dyn Random>) -> Self {
        Self { random, all: Arc::default() }
    }

    /// Adds one. Where there is one with this name already, that is the answer, with the settings that it has.
    ///
    /// # Errors
    /// When a setting lies outside its limits, or there are too many.
    pub fn add(&self, name: DependencyName, settings: DependencySettings) -> Result<Arc<Dependency>, DependencyError> {
        let mut all = self.all.lock();
        if let Some(known) = all.get(&name) {
            return Ok(known.clone());
        }
        if all.len() >= DEPENDENCIES_MAX {
            return Err(DependencyError::TooMany { name });
        }
        let added = Dependency::new(name.clone(), settings, self.random.clone())
            .map_err(|source| DependencyError::Setting { name: name.clone(), source })?;
        all.insert(name, added.clone());
        Ok(added)
    }

    /// Forgets one. Whoever still has it may go on using it.
    pub fn remove(&self, name: &DependencyName) {
        self.all.lock().remove(name);
    }

    /// All of them as they are now, by name.
    pub fn status(&self) -> Vec<DependencyStatus> {
        let all: Vec<_> = self.all.lock().values().cloned().collect();
        all.iter().map(|dependency| dependency.status()).collect()
    }

    /// The one with this name, as [`DependencyName::as_str`] writes it.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(&self, name: &str) -> Result<Arc<Dependency>, DependencyError> {
        let all = self.all.lock();
        let found = all.values().find(|dependency| dependency.name().as_str() == name);
        found.cloned().ok_or_else(|| DependencyError::Unknown { name: name.to_owned() })
    }

    /// Does an operator's will, and says what came of it.
    ///
    /// # Errors
    /// When there is none with this name.
    pub fn force(&self, name: &str, force: Force) -> Result<DependencyStatus, DependencyError> {
        let dependency = self.find(name)?;
        dependency.force(force);
        Ok(dependency.status())
    }
}
