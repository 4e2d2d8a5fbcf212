# Jobs and their queues.
jobs-lead = Work that is done outside of the request that asked for it, and what became of it.
jobs-tally-ready = { $count ->
    [one] may begin
   *[other] may begin
}
jobs-tally-running = { $count ->
    [one] is running
   *[other] are running
}
jobs-tally-waiting = { $count ->
    [one] is not due yet
   *[other] are not due yet
}
jobs-tally-dead = { $count ->
    [one] failed for good
   *[other] failed for good
}
jobs-paused = The queue { $queue } is paused; its jobs wait.
jobs-resume = Let it go on
jobs-dead-notice = { $count ->
    [one] One job failed for good. See it in the queue
   *[other] { $count } jobs failed for good. See them in the queue
}
jobs-replay-queue = Run them again
jobs-queues = Queues
jobs-ready = Ready
jobs-running = Running
jobs-waiting = Waiting
jobs-dead = Failed
jobs-delay = Oldest waits
jobs-waited = Waited
jobs-ran = Ran
jobs-pause = Pause
jobs-pause-this = Pause the queue { $queue }
jobs-is-paused = Paused
jobs-all = All jobs
jobs-filter = Choose jobs
jobs-none = There is no job. What was done is kept for a week, what failed for good for a month.
jobs-none-fit = No job fits.
jobs-workers = Who works on them
jobs-places-here = This process: { $places } places in use
jobs-no-worker = No process works on jobs.
queue-mail = Mail
queue-webhooks = Webhooks
queue-records = Imports and exports
queue-reports = Reports
job-state-waiting = Waiting
job-state-ready = Ready
job-state-running = Running
job-state-stopping = Stopping
job-state-done = Done
job-state-dead = Failed for good
job-state-cancelled = Called off
job-priority = Priority
job-priority-urgent = Urgent
job-priority-normal = Normal
job-priority-low = Low
job-progress = Progress
job-kind = Kind
job-attempts = Attempts
job-asked-for = Asked for
job-due = Due
job-begun = Last begun
job-ended = Ended
job-deadline = Not after
job-worker = Worker
job-id = Job
job-host = Host
job-process = Process
job-places = Places
job-about = About this job
job-failed = The last attempt failed
job-result = What came of it
job-cancel = Call it off
job-cancel-lead = A job that has not begun never will. One that runs stops as soon as it comes to a good place.
job-replay = Run it again
job-replay-lead = It becomes ready at once and has all its attempts before it.
