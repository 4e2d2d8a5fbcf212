//! Moves things between the gateway's state machine, the link, the networks' workers and the disk.

use std::{collections::HashMap, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{MissedTickBehavior, interval, sleep, timeout},
};
use tracing::{error, info, warn};
use warren_model::{Clock, NetworkId};
use warren_runtime::Shutdown;
use warren_tunnel::{Action, Command, Gateway, LinkError};
use warren_wire::node::v1::Backend;

use crate::{
    carrying::Footing,
    error::GatewayError,
    folder::Folder,
    keeper::{KeeperClient, Life},
    link::{LinkEvent, Outgoing},
    saving::Saving,
    worker::{JOBS_MAX, Job, Told, Worker},
};

/// The desired state is written at most this often.
const SAVE_EVERY: Duration = Duration::from_secs(1);
/// Where devices are is written at most this often: they move seldom, and one that moved since calls by itself.
const SAVE_WHEREABOUTS_EVERY: Duration = Duration::from_secs(5);
/// Counters are read this often.
const READ_EVERY: Duration = Duration::from_secs(1);
/// No wait is longer, so that a step of the clock is noticed.
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// How long networks may take to end at shutdown.
const END_WITHIN: Duration = Duration::from_millis(1500);
const TOLD_MAX: usize = 1024;

/// Runs a gateway that has its keeper and its link.
pub(crate) struct Driver {
    pub gateway: Gateway,
    pub folder: Folder,
    pub keeper: KeeperClient,
    pub clock: Arc<dyn Clock>,
    pub events: mpsc::Receiver<LinkEvent>,
    pub life: watch::Receiver<Life>,
    pub backend: Backend,
}

struct Running {
    gateway: Gateway,
    folder: Folder,
    keeper: KeeperClient,
    clock: Arc<dyn Clock>,
    backend: Backend,
    jobs: HashMap<NetworkId, mpsc::Sender<Job>>,
    workers: JoinSet<()>,
    told: mpsc::Sender<Told>,
    outgoing: Option<mpsc::Sender<Outgoing>>,
    state: Saving,
    whereabouts: Saving,
}

impl Driver {
    /// Runs until shutdown; then nothing of its networks is left.
    ///
    /// # Errors
    /// [`GatewayError::KeeperLost`] or [`GatewayError::Worker`]: the process has to end, and a new one begins cleanly.
    pub async fn run(self, shutdown: Shutdown) -> Result<(), GatewayError> {
        let Self { gateway, folder, keeper, clock, mut events, mut life, backend } = self;
        let (told, mut telling) = mpsc::channel(TOLD_MAX);
        let (state, whereabouts) =
            (Saving::new(SAVE_EVERY, gateway.revision()), Saving::new(SAVE_WHEREABOUTS_EVERY, gateway.moves()));
        let mut running = Running {
            gateway,
            folder,
            keeper,
            clock,
            backend,
            jobs: HashMap::new(),
            workers: JoinSet::new(),
            told,
            outgoing: None,
            state,
            whereabouts,
        };
        let mut readings = interval(READ_EVERY);
        readings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let ended = loop {
            running.pump();
            let wait = running.wait();
            tokio::select! {
                () = shutdown.requested() => break Ok(()),
                _ = life.wait_for(|life| *life == Life::Ended) => break Err(GatewayError::KeeperLost),
                Some(Err(source)) = running.workers.join_next() => break Err(GatewayError::Worker { source }),
                Some(told) = telling.recv() => running.hear(told),
                Some(event) = events.recv() => running.take(event),
                _ = readings.tick() => running.read_counters(),
                () = sleep(wait) => running.gateway.handle_timeout(running.clock.now()),
            }
        };
        running.end(telling).await;
        ended
    }
}

impl Running {
    /// Carries everything on that the state machine has ready.
    fn pump(&mut self) {
        while let Some(command) = self.gateway.poll_command() {
            self.command(command);
        }
        self.send_frames();
        self.save();
    }

    fn command(&mut self, command: Command) {
        let network = command.action.network();
        let last = matches!(command.action, Action::RemoveNetwork { .. });
        let jobs = self.jobs.entry(network).or_insert_with(|| {
            let (sender, jobs) = mpsc::channel(JOBS_MAX);
            let (keeper, clock) = (self.keeper.clone(), self.clock.clone());
            let footing = Footing { network, keeper, clock, backend: self.backend };
            self.workers.spawn(Worker::new(footing, self.told.clone()).run(jobs));
            sender
        });
        // The state machine never has more under way than fit. Should the worker have died, that ends the gateway.
        let _ = jobs.try_send(Job::Command(command));
        if last {
            // The worker ends when it has carried this out; a new one begins with the next command.
            self.jobs.remove(&network);
        }
    }

    fn send_frames(&mut self) {
        let Some(outgoing) = &self.outgoing else { return };
        // A full queue leaves the frames where newer ones can still replace them.
        while let Ok(place) = outgoing.try_reserve() {
            let Some(frame) = self.gateway.poll_frame() else { return };
            place.send(Outgoing::Frame(frame));
        }
    }

    fn take(&mut self, event: LinkEvent) {
        match event {
            LinkEvent::Connected(outgoing) => {
                self.outgoing = Some(outgoing);
                self.gateway.handle_connected();
            }
            LinkEvent::Disconnected => {
                self.outgoing = None;
                self.gateway.handle_disconnected();
            }
            LinkEvent::Frame(frame) => {
                // Frames of a link that was given up may still be on their way.
                if self.outgoing.is_none() {
                    return;
                }
                if let Err(reason) = self.gateway.handle_frame(frame, self.clock.now()) {
                    warn!(%reason, "closing the link to the control plane");
                    let outgoing = self.outgoing.take();
                    if let (LinkError::Refused { .. }, Some(outgoing)) = (reason, outgoing) {
                        let _ = outgoing.try_send(Outgoing::GiveUp);
                    }
                    self.gateway.handle_disconnected();
                }
            }
        }
    }

    fn hear(&mut self, told: Told) {
        let now = self.clock.now();
        match told {
            Told::Applied(command) => self.gateway.handle_applied(command),
            Told::Failed(command, failure) => self.gateway.handle_failed(command, failure, now),
            Told::OwnKey(network, device) => self.gateway.handle_own_key(network, device),
            Told::Lost { network, reason } => self.gateway.handle_lost(network, reason, now),
            Told::Stats { network, as_of, stats } => self.gateway.handle_stats(network, as_of, stats, now),
        }
    }

    fn read_counters(&self) {
        for jobs in self.jobs.values() {
            // Half of the queue is for commands alone.
            if jobs.capacity() > JOBS_MAX / 2 {
                let _ = jobs.try_send(Job::Read);
            }
        }
    }

    fn wait(&self) -> Duration {
        let now = self.clock.now();
        let until = self.gateway.poll_timeout().map(|at| Duration::try_from(at - now).unwrap_or_default());
        let save = [self.state.wait(self.gateway.revision()), self.whereabouts.wait(self.gateway.moves())];
        until.into_iter().chain(save.into_iter().flatten()).min().map_or(SLEEP_MAX, |wait| wait.min(SLEEP_MAX))
    }

    /// Writes what is to be found again at the next start.
    fn save(&mut self) {
        let Self { gateway, folder, clock, state, whereabouts, .. } = self;
        state.save(gateway.revision(), || write_state(folder, gateway));
        whereabouts.save(gateway.moves(), || write_whereabouts(folder, gateway, &**clock));
    }

    async fn end(mut self, mut telling: mpsc::Receiver<Told>) {
        self.outgoing = None;
        self.jobs.clear();
        let Self { gateway, folder, clock, state, whereabouts, .. } = &mut self;
        state.finish(gateway.revision(), || write_state(folder, gateway)).await;
        whereabouts.finish(gateway.moves(), || write_whereabouts(folder, gateway, &**clock)).await;
        let all_end = async { while self.workers.join_next().await.is_some() {} };
        let heard = async { while telling.recv().await.is_some() {} };
        let ended = tokio::select! {
            ended = timeout(END_WITHIN, all_end) => ended.is_ok(),
            () = heard => true,
        };
        if ended {
            info!("all networks have ended");
        } else {
            warn!("some networks did not end in time; they go with the process");
        }
    }
}

fn write_state(folder: &Folder, gateway: &Gateway) -> impl FnOnce() + Send + use<> {
    let (folder, state) = (folder.clone(), gateway.state());
    move || {
        if let Err(error) = folder.keep_state(&state) {
            error!(%error, "the desired state could not be kept");
        }
    }
}

fn write_whereabouts(folder: &Folder, gateway: &Gateway, clock: &dyn Clock) -> impl FnOnce() + Send + use<> {
    let (folder, whereabouts) = (folder.clone(), gateway.whereabouts(clock.now()));
    move || {
        if let Err(error) = folder.keep_whereabouts(&whereabouts) {
            error!(%error, "where devices are could not be kept");
        }
    }
}
