import type { RedisCommand } from './redis-engine.ts'

const words = (list: string) => new Set(list.trim().split(/\s+/))

const BLOCKING = words('BLPOP BRPOP BRPOPLPUSH BLMOVE BLMPOP BZPOPMIN BZPOPMAX BZMPOP WAIT WAITAOF')
const TRANSACTION = words('MULTI EXEC DISCARD WATCH UNWATCH')
const STREAMING = words('SUBSCRIBE PSUBSCRIBE MONITOR')
// Callers share one connection, and a bridge is not a way to administer the server behind it.
const CONNECTION = words(`AUTH HELLO SELECT QUIT RESET CLIENT ASKING READONLY READWRITE MOVE SWAPDB
  SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE`)
const ADMINISTRATION =
  words(`ACL CLUSTER CONFIG DEBUG SHUTDOWN SAVE BGSAVE BGREWRITEAOF REPLICAOF SLAVEOF FAILOVER
  SYNC PSYNC REPLCONF MODULE MIGRATE RESTORE-ASKING PFDEBUG PFSELFTEST LATENCY SLOWLOG`)

// Upstash keeps KEYS and SCAN from read-only tokens. Reads that can also write (SORT, GETEX, GEORADIUS) are not here.
const READS =
  words(`GET MGET STRLEN GETRANGE SUBSTR LCS GETBIT BITCOUNT BITPOS BITFIELD_RO EXISTS TYPE TTL PTTL
  EXPIRETIME PEXPIRETIME OBJECT DBSIZE PING ECHO TIME SORT_RO DUMP
  HGET HMGET HGETALL HKEYS HVALS HLEN HEXISTS HSTRLEN HSCAN HRANDFIELD HTTL HPTTL HEXPIRETIME HPEXPIRETIME
  LRANGE LLEN LINDEX LPOS SCARD SISMEMBER SMISMEMBER SMEMBERS SRANDMEMBER SINTER SUNION SDIFF SINTERCARD SSCAN
  ZCARD ZCOUNT ZLEXCOUNT ZRANGE ZRANGEBYSCORE ZRANGEBYLEX ZREVRANGE ZREVRANGEBYSCORE ZREVRANGEBYLEX ZRANK ZREVRANK
  ZSCORE ZMSCORE ZINTER ZUNION ZDIFF ZINTERCARD ZRANDMEMBER ZSCAN XLEN XRANGE XREVRANGE XREAD XINFO XPENDING
  GEODIST GEOHASH GEOPOS GEOSEARCH GEORADIUS_RO GEORADIUSBYMEMBER_RO PFCOUNT
  JSON.GET JSON.MGET JSON.TYPE JSON.STRLEN JSON.ARRLEN JSON.ARRINDEX JSON.OBJKEYS JSON.OBJLEN JSON.RESP`)
// Neither written nor readable with a read-only token: they leave the sync token alone.
const NEUTRAL = words(
  'KEYS SCAN RANDOMKEY INFO COMMAND MEMORY PUBSUB PUBLISH EVAL_RO EVALSHA_RO FCALL_RO CLIENT SCRIPT',
)

const name = (command: RedisCommand, at = 0) => {
  const word = command[at]
  return (typeof word === 'string' ? word : new TextDecoder().decode(word)).toUpperCase()
}

/** Why a command cannot be sent over REST, as the error Redis would answer; `undefined` when it can. */
export function refusal(command: RedisCommand): string | undefined {
  const word = name(command)
  const because = (reason: string) => `ERR '${word}' is not available over the REST API: ${reason}`
  if (BLOCKING.has(word) || blocksOnStream(word, command)) return because('it would block the connection')
  if (TRANSACTION.has(word)) return because('send the commands to /multi-exec instead')
  if (STREAMING.has(word)) {
    return because(`request /${word.toLowerCase()} with Accept: text/event-stream instead`)
  }
  if (word === 'CLIENT' && name(command, 1) === 'SETINFO') return undefined
  if (CONNECTION.has(word)) return because('it would change a connection that callers share')
  if (word === 'SCRIPT' && name(command, 1) === 'DEBUG') return because('it would block the server')
  if (ADMINISTRATION.has(word)) return because('it administers the server')
  return undefined
}

/** Whether a read-only token may send the command. Deny by default: what is not known to be a read is not. */
export const isRead = (command: RedisCommand): boolean => READS.has(name(command))

/** Whether the command may have written, so that the sync token has to change. */
export const mayWrite = (command: RedisCommand): boolean => !isRead(command) && !NEUTRAL.has(name(command))

/** How a read-only token is refused: Redis's ACL words, as Upstash serves them. */
export const noPermission = (command: RedisCommand): string =>
  `NOPERM this user has no permissions to run the '${name(command).toLowerCase()}' command or its subcommand`

function blocksOnStream(word: string, command: RedisCommand): boolean {
  if (word !== 'XREAD' && word !== 'XREADGROUP') return false
  for (let at = 1; at < command.length; at++) {
    const option = name(command, at)
    if (option === 'STREAMS') return false
    if (option === 'BLOCK') return true
  }
  return false
}
