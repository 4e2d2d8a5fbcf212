-- ARGV: node, the server's run, an epoch to begin if need be, 'anew' to begin it in any case
local epoch, run = unpack(redis.call('HMGET', STATE, 'epoch', 'run'))
if not epoch or run ~= ARGV[2] or ARGV[4] == 'anew' or not is_whole(epoch) then
  epoch = ARGV[3]
  renew(epoch, ARGV[2])
end
redis.call('ZADD', NODES, now_ms(), ARGV[1])
return { 'joined', epoch, tonumber(redis.call('HGET', STATE, 'sequence')), last_id() }
