//! What all caches of a process stand on.

use std::sync::Arc;

use warren_model::Random;

use crate::{marks::Marks, moment::Timeline, tag::Invalidations, trust::Trust};

#[derive(Debug)]
pub(crate) struct Grounds {
    pub marks: Marks,
    pub timeline: Timeline,
    pub trust: Trust,
    pub random: Arc<dyn Random>,
}

impl Grounds {
    pub async fn invalidate(&self, batch: Invalidations) {
        self.marks.note(&batch.0);
    }
}
