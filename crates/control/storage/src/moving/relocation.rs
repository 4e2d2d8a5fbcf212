//! A whole move: every organisation's database, then the system database, then the marks.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;
use warren_model::{Clock, OrganisationId};

use super::{
    MoveError, MoveProgress,
    claim::Claim,
    database::{self, Family, close, connect, writing},
    look::{self, means, moved_to},
    mark::{self, Mark},
};
use crate::{Place, Standing, StorageError, engine::Site, stored::micros};

/// Databases that are moved at the same time. Each holds two pages of rows and two connections.
const DATABASES_AT_ONCE: usize = 4;

/// A move of an installation's databases from one place to another. Nobody else may work on either meanwhile.
#[derive(Debug, Clone)]
pub struct Relocation {
    pub source: Standing,
    /// Holds nothing, or a move of this very installation from this very source that is not finished.
    pub target: Standing,
    /// What tells this installation from any other, at most 100 characters.
    pub installation: String,
}

/// What a move did.
#[derive(Debug, Clone)]
pub struct Moved {
    /// Databases that are at the target now.
    pub databases: usize,
    /// Those of them that an earlier run had moved.
    pub unchanged: usize,
    /// Rows that this run copied.
    pub rows: u64,
    pub took: Duration,
    pub from: Place,
    pub to: Place,
}

impl Relocation {
    /// Moves everything, or goes on with a move that was killed. The source is only read until everything has arrived; then
    /// it is marked, so that nobody starts on it.
    ///
    /// # Errors
    /// [`MoveError`]; once its cause is mended the same move may be run again.
    pub async fn run(&self, clock: Arc<dyn Clock>, progress: &Arc<MoveProgress>) -> Result<Moved, MoveError> {
        let begun = Instant::now();
        let (source, target) = (Site::of(&self.source), Site::of(&self.target));
        let (from, to) = (source.system().place(), target.system().place());
        if from == to {
            return Err(MoveError::SamePlace { place: to });
        }
        if let Some(gone_to) = moved_to(&source.system()).await? {
            // Killed between the two marks, it still has to take the second one away.
            let ends_here = gone_to == to.to_string() && look::is_unfinished(&target.system()).await?;
            if !ends_here {
                return Err(StorageError::MovedAway { place: from, to: gone_to }.into());
            }
        }
        let tenants = look::tenants(&source).await?;
        let mut claim = Claim::take(&target, &from, &self.installation).await?;
        claim.keep_only(&tenants, &target).await?;
        progress.expect(tenants.len() + 1);
        let way = Way { source, target, clock };
        way.move_tenants(tenants, &mut claim, progress).await?;
        way.move_system(progress).await?;
        // In this order there is no moment at which Warren could start at both places.
        way.mark_source(&to).await?;
        claim.finish().await?;
        let seen = progress.view();
        Ok(Moved {
            databases: seen.databases,
            unchanged: seen.unchanged,
            rows: seen.rows_copied,
            took: begun.elapsed(),
            from,
            to,
        })
    }
}

/// Uses the databases at `source` again after they were moved, and says where they had gone. What was written there since is
/// not here.
///
/// # Errors
/// [`MoveError::NotMoved`], and what the database gives.
pub async fn back_out(source: &Standing) -> Result<String, MoveError> {
    let system = Site::of(source).system();
    let place = system.place();
    let Some(to) = moved_to(&system).await? else { return Err(MoveError::NotMoved { place }) };
    let mut end = connect(&system, writing(&system), place).await?;
    Mark::MovedAway.remove(&mut end.connection).await.map_err(|error| means(error, &end.place))?;
    close(end).await;
    Ok(to)
}

/// Both ends of a move.
#[derive(Clone)]
struct Way {
    source: Site,
    target: Site,
    clock: Arc<dyn Clock>,
}

impl Way {
    /// Moves the organisations' databases, several at a time, and notes each that is done.
    async fn move_tenants(
        &self,
        tenants: Vec<OrganisationId>,
        claim: &mut Claim,
        progress: &Arc<MoveProgress>,
    ) -> Result<(), MoveError> {
        let family = Arc::new(Family::tenant());
        let mut done: BTreeMap<OrganisationId, String> = std::mem::take(&mut claim.done);
        let (mut waiting, mut under_way, mut failed) = (tenants.into_iter(), JoinSet::new(), None);
        loop {
            // After a failure no more are begun; those under way come to their end and are noted.
            while failed.is_none()
                && under_way.len() < DATABASES_AT_ONCE
                && let Some(id) = waiting.next()
            {
                let (way, family, progress) = (self.clone(), Arc::clone(&family), Arc::clone(progress));
                let noted = done.remove(&id);
                under_way.spawn(async move { way.move_tenant(id, noted, &family, &progress).await });
            }
            let Some(ended) = under_way.join_next().await else { return failed.map_or(Ok(()), Err) };
            let ended = ended.unwrap_or_else(|error| {
                let place = self.target.system().place();
                Err(StorageError::Unavailable { place, source: Arc::new(error) }.into())
            });
            match ended {
                Ok(Some((id, hash))) => {
                    claim.note(id, &hash).await?;
                    progress.one_moved();
                }
                Ok(None) => {}
                Err(error) => failed = failed.or(Some(error)),
            }
        }
    }

    /// Moves one, unless it was moved before and has not changed since.
    async fn move_tenant(
        &self,
        id: OrganisationId,
        noted: Option<String>,
        family: &Family,
        progress: &MoveProgress,
    ) -> Result<Option<(OrganisationId, String)>, MoveError> {
        let (source, target) = (self.source.tenant(id), self.target.tenant(id));
        if let Some(noted) = noted
            && target.exists().await?
            && database::content(&source, family).await? == noted
        {
            progress.one_unchanged();
            return Ok(None);
        }
        let hash = database::relocate_tenant(&source, &target, family, self.clock.as_ref(), progress).await?;
        Ok(Some((id, hash)))
    }

    async fn move_system(&self, progress: &MoveProgress) -> Result<(), MoveError> {
        let (source, target) = (self.source.system(), self.target.system());
        database::relocate_system(&source, &target, &Family::system(), self.clock.as_ref(), progress).await?;
        progress.one_moved();
        Ok(())
    }

    /// Says at the source where its databases are now.
    async fn mark_source(&self, to: &Place) -> Result<(), StorageError> {
        let system = self.source.system();
        let entries = [(mark::TARGET, to.to_string()), (mark::MOVED_AT, micros(self.clock.now()).to_string())];
        let mut end = connect(&system, writing(&system), system.place()).await?;
        Mark::MovedAway.make(&mut end.connection, &entries).await.map_err(|error| means(error, &end.place))?;
        close(end).await;
        Ok(())
    }
}
