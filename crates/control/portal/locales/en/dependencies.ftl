# What Warren needs and cannot trust to be there.
dependencies-lead = What Warren needs and cannot trust to be there. What fails or is slow is left alone for a while, and then tried.
breaker-closed = Called
breaker-open = Left alone
breaker-half-open = Being tried
breaker-forced-open = Left alone by hand
breaker-forced-closed = Called by hand
dependency-next-probe = Tried again
dependency-window = Judged by
dependency-window-calls = { $count ->
    [one] one call
   *[other] { $count } calls
}
dependency-window-failed = { $count ->
    [one] one failed
   *[other] { $count } failed
}
dependency-window-slow = { $count ->
    [one] one was slow
   *[other] { $count } were slow
}
dependency-refused = { $count ->
    [one] one was not made
   *[other] { $count } were not made
}
dependency-calls = Since the start
dependency-usual = A call usually takes
dependency-in-flight = Under way
dependency-in-line = { $count ->
    [one] one waits
   *[other] { $count } wait
}
dependency-last-failure = Last failure
dependency-changes = What changed
cause-failures = { $bad } of the last { $calls } calls failed.
cause-slow-calls = { $bad } of the last { $calls } calls took too long.
cause-wait-over = The wait was over and somebody called.
cause-probe-failed = The call that was let through to try failed.
cause-probe-slow = The call that was let through to try took too long.
cause-probes-succeeded = The calls that were let through to try succeeded.
cause-forced = An operator decided it.
cause-released = An operator let it decide by itself again.
force-open = Leave it alone
force-open-question = Leave { $name } alone?
force-open-consequence = No call to it is made any more. What needs it waits, is answered in another way, or is refused, until you let it decide by itself again or this process ends.
force-closed = Call it in any case
force-closed-question = Call { $name } in any case?
force-closed-consequence = Every call is made, also when all of them fail or take long, until you let it decide by itself again or this process ends.
force-release = Let it decide by itself
force-release-question = Let { $name } decide by itself again?
force-release-consequence = Calls pass, and are judged from now on.
calls-left-alone = left alone
calls-called = in any case
calls-released = as it decides by itself
tasks = Background work
tasks-lead = What fails is started again
tasks-none = This process does no background work.
task = Task
task-state-running = Running
task-state-waiting = Starts again
task-restarts = Started again
