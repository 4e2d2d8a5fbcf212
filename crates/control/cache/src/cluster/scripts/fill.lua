-- KEYS[5]: the value; KEYS[6]: the lease on loading it. ARGV: epoch, token, and with a value: begun, marks, body, kind, and its
-- fresh time, kept time and age in milliseconds
local epoch, token = ARGV[1], ARGV[2]
if redis.call('GET', KEYS[6]) == token then redis.call('DEL', KEYS[6]) end
if #ARGV < 9 then return { 'released' } end
local known, floor = unpack(redis.call('HMGET', STATE, 'epoch', 'floor'))
if known ~= epoch then return { 'lost' } end
local begun = tonumber(ARGV[3])
if begun < tonumber(floor) then return { 'overtaken' } end
local marks = { epoch }
for mark in string.gmatch(ARGV[4], '%S+') do marks[#marks + 1] = mark end
local given_up = redis.call('ZMSCORE', MARKS, unpack(marks))
if not given_up[1] then return { 'lost' } end
for index = 2, #marks do
  if given_up[index] and tonumber(given_up[index]) > begun then return { 'overtaken' } end
end
redis.call('HSET', KEYS[5], 'epoch', epoch, 'begun', begun, 'marks', ARGV[4], 'body', ARGV[5], 'kind', ARGV[6],
  'fresh', ARGV[7], 'kept', ARGV[8], 'age', ARGV[9])
redis.call('PEXPIRE', KEYS[5], ARGV[8])
return { 'kept' }
