-- ARGV: epoch, node, the last entry of the log that is known, its number at most, spans of silence, forgetting and settling in
-- milliseconds, an epoch to begin if need be
local epoch, node, known, count = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
if not is_whole(epoch) then return { 'lost' } end
if not redis.call('ZSCORE', NODES, node) then return { 'forgotten' } end
local now = now_ms()
-- Who spoke in the future spoke before the clock was set back.
for _, early in ipairs(redis.call('ZRANGEBYSCORE', NODES, '(' .. now, '(+inf')) do
  redis.call('ZADD', NODES, now, early)
end
redis.call('ZADD', NODES, now, node)
local gone = redis.call('ZRANGEBYSCORE', NODES, '-inf', now - ARGV[6])
if #gone > 0 then
  redis.call('ZREM', NODES, unpack(gone))
  renew(ARGV[8], redis.call('HGET', STATE, 'run'))
  return { 'gone', #gone }
end
local entries = {}
for _, entry in ipairs(redis.call('XRANGE', LOG, '(' .. known, '+', 'COUNT', count)) do
  local fields = entry[2]
  entries[#entries + 1] = { entry[1], tonumber(fields[2]), fields[4], fields[6] }
end
local silent = redis.call('ZCOUNT', NODES, '-inf', now - ARGV[5])
local sequence = tonumber(redis.call('HGET', STATE, 'sequence'))
return { 'heard', sequence, last_id(), silent, settles_ms(tonumber(ARGV[7])), entries }
