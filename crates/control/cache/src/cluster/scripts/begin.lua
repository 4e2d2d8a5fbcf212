-- What all scripts begin with. Redis runs each as if it were alone.
-- state: epoch, run (the server's), sequence (of invalidations), floor, renewed (when the epoch began)
-- marks: what was given up, by the sequence number at which; log: the same in order; nodes: the processes, by when they spoke.
-- Marks and nodes hold the epoch at infinity: without it they are not what they were.
local STATE, MARKS, LOG, NODES = KEYS[1], KEYS[2], KEYS[3], KEYS[4]

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

local function is_whole(epoch)
  return redis.call('HGET', STATE, 'epoch') == epoch
    and redis.call('ZSCORE', MARKS, epoch)
    and redis.call('ZSCORE', NODES, epoch)
end

-- Begins an epoch: nothing that was kept before counts any more, on Redis or in a process.
local function renew(epoch, run)
  redis.call('DEL', MARKS, LOG)
  redis.call('HSET', STATE, 'epoch', epoch, 'run', run, 'floor', 0, 'renewed', now_ms())
  local sequence = redis.call('HINCRBY', STATE, 'sequence', 1)
  redis.call('ZADD', MARKS, '+inf', epoch)
  redis.call('ZREMRANGEBYSCORE', NODES, '+inf', '+inf')
  redis.call('ZADD', NODES, '+inf', epoch)
  redis.call('XADD', LOG, '*', 'n', sequence, 'node', '', 'marks', '')
end

-- How long the epoch is still too young to be sure that everybody had time to speak.
local function settles_ms(span)
  local now = now_ms()
  local renewed = tonumber(redis.call('HGET', STATE, 'renewed')) or 0
  if renewed > now then
    -- The clock was set back; the time until then is not known.
    redis.call('HSET', STATE, 'renewed', now)
    renewed = now
  end
  return math.max(0, span - (now - renewed))
end

local function last_id()
  local last = redis.call('XREVRANGE', LOG, '+', '-', 'COUNT', 1)
  return last[1] and last[1][1] or '0-0'
end
