-- ARGV: epoch, node, entries of the log at most, marks at most, the marks
local epoch, log_max, marks_max = ARGV[1], ARGV[3], tonumber(ARGV[4])
if not is_whole(epoch) then return { 'lost' } end
local sequence = redis.call('HINCRBY', STATE, 'sequence', 1)
local marks = {}
for index = 5, #ARGV do
  redis.call('ZADD', MARKS, sequence, ARGV[index])
  marks[#marks + 1] = ARGV[index]
end
local count = redis.call('ZCARD', MARKS)
if count > marks_max then
  -- The older half is forgotten, and what is as old counts no more.
  local last = count - math.floor(marks_max / 2) - 1
  local floor = redis.call('ZRANGE', MARKS, last, last, 'WITHSCORES')[2]
  redis.call('ZREMRANGEBYSCORE', MARKS, '-inf', floor)
  redis.call('HSET', STATE, 'floor', floor)
end
redis.call('XADD', LOG, 'MAXLEN', '~', log_max, '*', 'n', sequence, 'node', ARGV[2], 'marks', table.concat(marks, ' '))
return { 'published', sequence }
