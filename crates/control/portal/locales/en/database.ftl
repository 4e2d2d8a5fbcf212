# How the databases are.
database-lead = Connections, waits and statements since the start. Nothing here is stopped by itself.
database-again = Look again
database-of-system = System database
database-fine-notice = Nobody waits for a connection.
database-waiting-notice = Somebody waits for a connection at this moment. That is nothing yet; it becomes a warning when those who wait hardly get on.
database-short-pool = The connections to the database of { $name } are running out
database-short-server = The connections that the database server may have are running out
database-short-open = The places for open databases are running out
database-sign-line = Those who wait for one hardly get on.
database-sign-long-waits = More than one in a hundred waited for too long.
database-sign-refusals = Some waited in vain.
database-tally-active = { $count ->
    [one] connection in use
   *[other] connections in use
}
database-tally-waiting = { $count ->
    [one] waits for one
   *[other] wait for one
}
database-tally-open = open, of { $count } databases at most
database-tally-suspicions = { $count ->
    [one] suspicion since the start
   *[other] suspicions since the start
}
database-pools = Connections
database-half-most = Times: half are within the first, 99 of 100 within the second
database-pool = Pool
database-in-use = In use
database-in-use-mean = In use on average
database-in-line = Waiting
database-waited = Waited
database-kept = Kept
database-refused = In vain
database-broken = Broken
database-state-fine = Fine
database-state-waiting = Waiting
database-state-running-out = Running out
database-kind-system = System database
database-kind-tenant = Organisations’ databases
database-role-write = for writing
database-role-read = for reading
database-role-both = for reading and writing
database-busiest = The busiest organisations
database-lately = In the last ten seconds
database-none-open = No organisation’s database is open.
database-organisation = Organisation
database-acquired = Given out
database-mean-wait = Waited on average
database-suspicions = What takes long
database-no-suspicion = Nothing took longer than it should.
database-suspicion-statement = A statement runs for long
database-suspicion-idle-in-hand = A connection is held and nothing is done with it; perhaps it was forgotten
database-suspicion-transaction = A transaction is open for long
database-ongoing = for { $span } now
database-over = over after { $span }
database-slow = Slow statements
database-no-slow = No statement was slow.
database-work-system = Work on the system database
database-work-tenant = Work on the organisations’ databases
database-attempts = Attempts at transactions
database-took = A transaction takes
database-end-committed = Committed
database-end-failed = Undone because something failed
database-end-timed-out = Undone because it took too long
database-end-dropped = Undone because nobody waited any more
database-end-given-up = Given up after many attempts
database-end-unknown = Not known whether committed
database-retry-deadlock = Attempted again after a deadlock
database-retry-serialisation = Attempted again because it came between others
database-retry-busy = Attempted again because the database was busy
database-retry-disconnected = Attempted again after a lost connection
database-statements = The statements that took most time in all
database-statement = Statement
database-count = Count
database-total = In all
database-mean = On average
database-most = 99 of 100 within
database-where = Where they stand
database-engine = Engine
database-engine-sqlite = SQLite
database-engine-mariadb = MariaDB
database-engine-postgresql = PostgreSQL
database-place = System database
database-server = Connections to the server
database-looked = Looked at
