-- KEYS[5]: the value; KEYS[6]: the lease on loading it. ARGV: epoch, the lease's token and milliseconds
local epoch = ARGV[1]
local known, sequence, floor = unpack(redis.call('HMGET', STATE, 'epoch', 'sequence', 'floor'))
if known ~= epoch then return { 'lost' } end
local held = redis.call('HMGET', KEYS[5], 'epoch', 'begun', 'marks', 'body', 'kind', 'fresh', 'kept', 'age')
local stale = {}
if held[1] == epoch and tonumber(held[2]) >= tonumber(floor) then
  local marks = { epoch }
  for mark in string.gmatch(held[3], '%S+') do marks[#marks + 1] = mark end
  local given_up = redis.call('ZMSCORE', MARKS, unpack(marks))
  if not given_up[1] then return { 'lost' } end
  local holds = true
  for index = 2, #marks do
    if given_up[index] and tonumber(given_up[index]) > tonumber(held[2]) then holds = false end
  end
  local left = redis.call('PTTL', KEYS[5])
  if holds and left > 0 then
    local age = tonumber(held[8]) + tonumber(held[7]) - left
    local value = { tonumber(sequence), held[5], held[4], held[3], age, tonumber(held[6]), tonumber(held[7]) }
    if age < tonumber(held[6]) then return { 'value', unpack(value) } end
    stale = value
  end
end
if redis.call('SET', KEYS[6], ARGV[2], 'NX', 'PX', ARGV[3]) then
  return { 'load', tonumber(sequence), unpack(stale) }
end
return { 'wait', redis.call('PTTL', KEYS[6]) }
