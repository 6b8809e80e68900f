/**
 * What is done in Redis, one key a script, so that it spreads over a Cluster. Every script sets
 * absolute state: to run it again changes nothing and publishes nothing.
 *
 * The record of a recipient is a hash: node epoch → `<sockets> <since>`, or `0 <since> <deadline>`
 * while the node still counts the recipient as present without a socket; and `!` → the announcement
 * that it is connected, `<when> <epoch>`, each another text. Times are milliseconds since 1970.
 */

/** A script by its name: its text, and what it returns. */
export type ScriptName = keyof typeof SCRIPTS;

/**
 * Writes a node's field, and removes the fields of its former epochs. A record that was lost, or came
 * back from long ago, silently gets the announcement that the node knows of; and a withdrawn one that
 * came back goes.
 *
 * ARGV: epoch, field, announcement, withdrawn ones with commas between them (both may be empty), time
 * to live, former epochs.
 * Returns the announcement that stands, nil when there is none.
 */
const put = `
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
for i = 6, #ARGV do redis.call('HDEL', KEYS[1], ARGV[i]) end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
if ARGV[3] ~= '' then
  redis.call('HSET', KEYS[1], '!', ARGV[3])
  return ARGV[3]
end
local announced = redis.call('HGET', KEYS[1], '!')
if announced and string.find(',' .. ARGV[4] .. ',', ',' .. announced .. ',', 1, true) then
  redis.call('HDEL', KEYS[1], '!')
  return false
end
return announced`;

/**
 * Announces the recipient unless it is announced. Only beside the node's own field: where that is
 * gone the record was lost, and what was announced with it.
 *
 * ARGV: epoch, announcement, channel, recipient. Returns the announcement that stands, nil when the
 * field is gone.
 */
const announce = `
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return false end
local announced = redis.call('HGET', KEYS[1], '!')
if announced then return announced end
redis.call('HSET', KEYS[1], '!', ARGV[2])
local reply = redis.pcall('PUBLISH', ARGV[3], ARGV[4])
if type(reply) == 'table' and reply.err then
  redis.call('HDEL', KEYS[1], '!')
  return reply
end
return ARGV[2]`;

/**
 * Removes a node's field, and announces that the recipient is gone where nothing else holds it.
 *
 * ARGV: epoch, mode, now, channel, recipient, time to live, withdrawn, for how long the deadline of
 * another node's field may have passed (its node removes it itself), former epochs of the node. The modes: `own`; `reap`, which
 * leaves a field whose deadline lies ahead and returns the milliseconds until then; `leave`, which
 * announces nothing, and removes a `!` that is a withdrawn one: it came back with lost writes.
 * Returns `absent` when there was no field, `gone` where it announced that, else the epochs that hold the
 * recipient.
 */
const remove = `
if ARGV[2] == 'leave' then
  local announced = redis.call('HGET', KEYS[1], '!')
  if announced and string.find(',' .. ARGV[7] .. ',', ',' .. announced .. ',', 1, true) then
    redis.call('HDEL', KEYS[1], '!')
  end
end
local field = redis.call('HGET', KEYS[1], ARGV[1])
for i = 9, #ARGV do
  if redis.call('HDEL', KEYS[1], ARGV[i]) == 1 then field = field or '' end
end
if not field then return 'absent' end
local now = tonumber(ARGV[3])
local function ahead(value)
  local deadline = string.match(value, '^0 %d+ (%d+)$')
  return deadline and tonumber(deadline) - now
end
if ARGV[2] == 'reap' then
  local left = ahead(field)
  if left and left > 0 then return left end
end
local announced = false
local holders = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if all[i] == '!' then announced = true
  elseif all[i] ~= ARGV[1] then
    local left = ahead(all[i + 1])
    if not left or left > -tonumber(ARGV[8]) then holders[#holders + 1] = all[i] end
  end
end
if ARGV[2] == 'leave' or #holders > 0 or not announced then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return holders
end
redis.call('PEXPIRE', KEYS[1], ARGV[6]) -- refused where HDEL would be: before the notice
local reply = redis.pcall('PUBLISH', ARGV[4], ARGV[5])
if type(reply) == 'table' and reply.err then return reply end
redis.call('HDEL', KEYS[1], ARGV[1], '!')
return 'gone'`;

/**
 * Marks a master, so that everyone sees when it lost its data, was restarted or was replaced.
 *
 * ARGV: the server's run id, a random text, time to live. Returns the mark,
 * `<run id> <random> <when it was made>`, and the time.
 */
const mark = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local mark = redis.call('GET', KEYS[1])
if mark and string.sub(mark, 1, #ARGV[1]) == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
else
  mark = ARGV[1] .. ' ' .. ARGV[2] .. ' ' .. string.format('%.0f', now)
  redis.call('SET', KEYS[1], mark, 'PX', ARGV[3])
end
return { mark, string.format('%.0f', now) }`;

/**
 * Joins the nodes, or renews a lease that is neither gone nor condemned. The hash holds node epoch →
 * `<stamp> <data>`, the stamp behind an `x` once the node is condemned, and `-<epoch>` → when a node
 * was reaped, for a day.
 *
 * ARGV: epoch, `join` or `renew`, data, time to live, reaped epochs that the hash may have lost.
 * Returns 1, or 0 when the lease is no more, and the whole hash.
 */
const renew = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stamp = string.format('%.0f', now)
local mine = redis.call('HGET', KEYS[1], ARGV[1])
local held = 1
if ARGV[2] == 'renew' and (not mine or string.sub(mine, 1, 1) == 'x') then held = 0
else redis.call('HSET', KEYS[1], ARGV[1], stamp .. ' ' .. ARGV[3]) end
for i = 5, #ARGV do redis.call('HSETNX', KEYS[1], '-' .. ARGV[i], stamp) end
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  if string.sub(all[i], 1, 1) == '-' and now - all[i + 1] > tonumber(ARGV[4]) then
    redis.call('HDEL', KEYS[1], all[i])
  end
end
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return { held, all }`;

/**
 * Condemns a node whose lease is still what the reaper saw, so that it cannot be renewed any more.
 *
 * ARGV: epoch, the stamp that was seen. Returns the new stamp, nil when the lease has changed.
 */
const condemn = `
local record = redis.call('HGET', KEYS[1], ARGV[1])
local stamp, data = string.match(record or '', '^(%S+) (.*)$')
if stamp ~= ARGV[2] then return false end
local time = redis.call('TIME')
stamp = 'x' .. string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSET', KEYS[1], ARGV[1], stamp .. ' ' .. data)
return stamp`;

/**
 * Ends a lease: `left` forgets the node, `reaped` remembers that it was reaped, `condemned` leaves
 * its recipients to the node that reaps them. The last node takes the hash with it.
 *
 * ARGV: epoch, how. Returns 1.
 */
const end = `
local record = redis.call('HGET', KEYS[1], ARGV[1])
if ARGV[2] == 'condemned' then
  local data = string.match(record or '', '^%S+ (.*)$')
  if data then redis.call('HSET', KEYS[1], ARGV[1], 'x0 ' .. data) end
  return 1
end
redis.call('HDEL', KEYS[1], ARGV[1])
if ARGV[2] == 'reaped' then
  local time = redis.call('TIME')
  redis.call('HSET', KEYS[1], '-' .. ARGV[1], time[1] * 1000)
end
for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 1) ~= '-' then return 1 end
end
redis.call('DEL', KEYS[1])
return 1`;

/** The texts. */
export const SCRIPTS = { put, announce, remove, mark, renew, condemn, end } as const;
