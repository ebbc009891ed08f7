/**
 * Charges every key or none. Five arguments for each key: algorithm, capacity, period, cost, extra.
 * Returns four integers for each: tokens left, milliseconds until nothing is used, milliseconds until the charge
 * would fit (0 where it does), tokens taken. A negative cost gives back.
 *
 * There is no clock in it: the state of a limit is the time its key has left to live, which Redis counts down.
 * `gcra` needs nothing else; where a token takes no whole number of milliseconds the value holds how much too late the
 * key ends. `log` keeps how old each token was when the key was last written, oldest first.
 */
const SOURCE = `
local states, allowed = {}, true
for i, key in ipairs(KEYS) do
  local at = (i - 1) * 5
  local s = {
    log = ARGV[at + 1] == 'log', capacity = tonumber(ARGV[at + 2]), period = tonumber(ARGV[at + 3]),
    cost = tonumber(ARGV[at + 4]), extra = tonumber(ARGV[at + 5])
  }
  local ttl = redis.call('PTTL', key)
  if s.log then
    s.ages = {}
    if ttl > 0 then
      for age in string.gmatch(redis.call('GET', key) or '', '[^,]+') do
        age = tonumber(age) + math.max(0, s.period - ttl)
        if age < s.period then s.ages[#s.ages + 1] = age end
      end
    end
    s.retry = 0
    if #s.ages + s.cost > s.capacity then
      s.retry = math.max(1, s.period - (s.ages[#s.ages + s.cost - s.capacity] or 0))
    end
  else
    s.used = math.max(0, ttl)
    if ttl > 0 and s.period % 1 > 0 then
      s.used = s.used - (tonumber(redis.call('GET', key) or '') or 0)
    end
    s.room = s.capacity * s.period - s.used
    s.retry = math.max(0, math.ceil(s.cost * s.period - s.room - 0.001))
  end
  if s.retry > 0 then allowed = false end
  states[i] = s
end

local reply = {}
for i, key in ipairs(KEYS) do
  local s = states[i]
  local taken = 0
  if allowed then taken = s.cost end
  if s.log then
    for _ = 1, taken do s.ages[#s.ages + 1] = 0 end
    for _ = 1, -taken do table.remove(s.ages, 1) end
    if #s.ages == 0 then
      if taken < 0 then redis.call('DEL', key) end
    elseif taken ~= 0 then
      redis.call('SET', key, table.concat(s.ages, ','), 'PX', s.period)
    end
    reply[#reply + 1] = s.capacity - #s.ages
    reply[#reply + 1] = #s.ages == 0 and 0 or s.period - s.ages[#s.ages]
  else
    if allowed and s.extra > 0 then
      taken = taken + math.min(s.extra, math.floor((s.room - s.cost * s.period + 0.001) / s.period))
    end
    local used = math.max(0, s.used + taken * s.period)
    local ends = math.ceil(used - 0.001)
    if ends == 0 then
      if taken < 0 then redis.call('DEL', key) end
    elseif taken ~= 0 then
      local late = '0'
      if s.period % 1 > 0 then late = string.format('%.6f', ends - used) end
      redis.call('SET', key, late, 'PX', ends)
    end
    reply[#reply + 1] = math.max(0, math.floor((s.capacity * s.period - used + 0.001) / s.period))
    reply[#reply + 1] = ends
  end
  reply[#reply + 1] = s.retry
  reply[#reply + 1] = taken
end
return reply
`

/** Lets Upstash lock the keys of the script only, instead of the whole database. A plain Redis refuses the flag. */
const SHEBANG = '#!lua flags=allow-key-locking\n'

export const PLAIN_CHARGE_SCRIPT: string = SOURCE.trim()
export const CHARGE_SCRIPT: string = SHEBANG + PLAIN_CHARGE_SCRIPT
