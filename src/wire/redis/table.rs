//! What a command does to which of its arguments, as far as rules need it.

use std::ops::RangeInclusive;

/// What a command does to its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads them.
    Read,
    /// Writes them, or some of them.
    Write,
    /// Has none.
    None,
}

/// Reads of one key, the first argument.
const READS: &str = " GET STRLEN GETRANGE SUBSTR GETBIT BITCOUNT BITPOS TYPE TTL PTTL EXPIRETIME PEXPIRETIME DUMP HGET HMGET \
HGETALL HKEYS HVALS HLEN HEXISTS HSTRLEN HSCAN HRANDFIELD LLEN LRANGE LINDEX LPOS SCARD SISMEMBER SMISMEMBER SMEMBERS \
SRANDMEMBER SSCAN ZCARD ZCOUNT ZLEXCOUNT ZRANGE ZRANGEBYSCORE ZRANGEBYLEX ZREVRANGE ZREVRANGEBYSCORE ZREVRANGEBYLEX ZRANK \
ZREVRANK ZSCORE ZMSCORE ZSCAN ZRANDMEMBER XLEN XRANGE XREVRANGE GEOPOS GEODIST GEOHASH GEOSEARCH GEORADIUS_RO \
GEORADIUSBYMEMBER_RO BITFIELD_RO SORT_RO ";
/// Reads of every argument.
const READS_ALL: &str = " MGET EXISTS TOUCH SINTER SUNION SDIFF PFCOUNT ";
/// Reads of as many keys as the first argument says.
const READS_COUNTED: &str = " SINTERCARD ZINTER ZUNION ZDIFF ZINTERCARD ";
/// Writes of every argument, of every second one, of two, of the second.
const WRITES_ALL: &str = " DEL UNLINK WATCH ";
const WRITES_PAIRS: &str = " MSET MSETNX ";
const WRITES_TWO: &str = " RENAME RENAMENX COPY LMOVE SMOVE RPOPLPUSH BRPOPLPUSH BLMOVE ";
const WRITES_SECOND: &str = " BITOP ";
/// Writes of as many keys as the second argument says.
const WRITES_COUNTED: &str = " EVAL EVALSHA FCALL EVAL_RO EVALSHA_RO FCALL_RO ";
/// Commands about the connection, the server or channels.
const KEYLESS: &str = " PING ECHO AUTH HELLO SELECT QUIT RESET CLIENT CONFIG INFO DBSIZE COMMAND MULTI EXEC DISCARD UNWATCH \
SCAN KEYS RANDOMKEY TIME SCRIPT FUNCTION ACL CLUSTER READONLY READWRITE ASKING LATENCY MEMORY OBJECT MODULE SLOWLOG DEBUG \
FLUSHALL FLUSHDB SAVE BGSAVE BGREWRITEAOF LASTSAVE ROLE REPLICAOF SLAVEOF SHUTDOWN SWAPDB PUBLISH SPUBLISH PUBSUB LOLWUT \
WAIT WAITAOF FAILOVER SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE MONITOR SYNC PSYNC REPLCONF \
XREAD XREADGROUP ";
/// Commands that wait, or after which the server speaks by itself.
const TAKES_OVER: &str = " SUBSCRIBE PSUBSCRIBE SSUBSCRIBE MONITOR SYNC PSYNC REPLCONF BLPOP BRPOP BRPOPLPUSH BLMOVE BLMPOP BZPOPMIN \
BZPOPMAX BZMPOP WAIT WAITAOF ";

fn lists(table: &str, name: &[u8]) -> bool {
    let Ok(name) = std::str::from_utf8(name) else { return false };
    !name.is_empty() && !name.contains(' ') && table.contains(&format!(" {} ", name.to_ascii_uppercase()))
}

/// What the command `args`, name first, does to its keys, and which arguments they are.
pub fn keys<A: AsRef<[u8]>>(args: &[A]) -> (Access, Vec<usize>) {
    let name = args.first().map_or(&[][..], AsRef::as_ref);
    let last = args.len().saturating_sub(1);
    let within = |range: RangeInclusive<usize>| range.filter(|at| *at <= last).collect::<Vec<_>>();
    let counted = |at: usize| {
        let count = args.get(at).and_then(|arg| std::str::from_utf8(arg.as_ref()).ok()?.parse::<usize>().ok());
        within(at + 1..=at.saturating_add(count.unwrap_or(0)).min(last))
    };
    if lists(READS, name) {
        (Access::Read, within(1..=1))
    } else if lists(READS_ALL, name) {
        (Access::Read, within(1..=last))
    } else if lists(READS_COUNTED, name) {
        (Access::Read, counted(1))
    } else if lists(KEYLESS, name) {
        (Access::None, Vec::new())
    } else if lists(WRITES_ALL, name) {
        (Access::Write, within(1..=last))
    } else if lists(WRITES_PAIRS, name) {
        (Access::Write, (1..=last).step_by(2).collect())
    } else if lists(WRITES_TWO, name) {
        (Access::Write, within(1..=2))
    } else if lists(WRITES_SECOND, name) {
        (Access::Write, within(2..=2))
    } else if lists(WRITES_COUNTED, name) {
        (Access::Write, counted(2))
    } else {
        (Access::Write, within(1..=1))
    }
}

/// True when the connection is not one of commands and replies any more after `args`.
pub fn turns_to_bytes<A: AsRef<[u8]>>(args: &[A]) -> bool {
    let word = |at: usize| args.get(at).map(|arg| arg.as_ref().to_ascii_uppercase()).unwrap_or_default();
    let name = word(0);
    match name.as_slice() {
        b"CLIENT" => word(1) == b"REPLY" && word(2) != b"ON",
        b"XREAD" | b"XREADGROUP" => (1..args.len()).any(|at| word(at) == b"BLOCK"),
        name => lists(TAKES_OVER, name),
    }
}
