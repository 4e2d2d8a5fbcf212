//! What all caches of a process stand on.

use std::sync::Arc;

use warren_model::Random;

use crate::{cluster::Cluster, marks::Marks, moment::Timeline, tag::Invalidations, trust::Trust};

#[derive(Debug)]
pub(crate) struct Grounds {
    pub marks: Marks,
    pub timeline: Timeline,
    pub trust: Trust,
    pub random: Arc<dyn Random>,
    /// None for a process that is alone.
    pub cluster: Option<Arc<Cluster>>,
}

impl Grounds {
    pub async fn invalidate(&self, batch: Invalidations) {
        if batch.is_empty() {
            return;
        }
        self.marks.note(&batch.0);
        if let Some(cluster) = &self.cluster {
            cluster.tell(batch.0).await;
        }
    }
}
