import { IDEMPOTENCY_MS, sha256 } from "./idempotency.ts";
import { BusUnavailable, IdempotencyConflict, type PublishOptions } from "./port.ts";
import { type Ask, repeatUntilAnswered } from "./redis_repeat.ts";

/** What {@link RedisPublisher} needs. */
export interface RedisPublisherOptions {
  /** Sends one command, once; rejects with {@link BusUnavailable}. */
  readonly ask: Ask;
  /** Begins the names of idempotency keys. */
  readonly prefix: string;
  readonly channel: string | undefined;
  readonly stream: string | undefined;
}

/** About how many entries the stream keeps, where it is Keywire that appends. */
const STREAM_LENGTH = 100_000;
/** What {@link ONCE} answers for another envelope under the same key. No id looks like it. */
const CONFLICT = "conflict";

/**
 * KEYS: the idempotency key, the stream or the channel. ARGV: `xadd` or `publish`, the envelope, its
 * hash, how long the key is kept in milliseconds, how long the stream is, the channel, and further
 * fields of the entry. Answers the entry's id, or the number of subscribers. The key is set first: where
 * that is refused, nothing was published.
 */
const ONCE = `local kept = redis.call('GET', KEYS[1])
if kept then
  local space = string.find(kept, ' ', 1, true)
  if string.sub(kept, 1, space - 1) ~= ARGV[3] then return '${CONFLICT}' end
  return string.sub(kept, space + 1)
end
redis.call('SET', KEYS[1], ARGV[3] .. ' ', 'PX', ARGV[4])
local reply
if ARGV[1] == 'xadd' then
  reply = redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], '*', 'message', ARGV[2],
    unpack(ARGV, 7))
else
  reply = redis.pcall('PUBLISH', ARGV[6], ARGV[2])
end
if type(reply) == 'table' and reply.err then
  redis.call('DEL', KEYS[1])
  return reply
end
redis.call('SET', KEYS[1], ARGV[3] .. ' ' .. reply, 'PX', ARGV[4])
return reply`;

/** Appends envelopes to the stream, or publishes them where it is off. */
export class RedisPublisher {
  readonly #options: RedisPublisherOptions;

  constructor(options: RedisPublisherOptions) {
    this.#options = options;
  }

  /** As `Bus.publish`. Commands of one turn reach Redis in the order of the calls. */
  async publish(
    envelope: string,
    { idempotencyKey, traceparent }: PublishOptions,
  ): Promise<string | undefined> {
    const { ask, channel, stream } = this.#options;
    const trace = traceparent === undefined ? [] : ["traceparent", traceparent];
    if (idempotencyKey !== undefined) {
      return await this.#publishOnce(envelope, { idempotencyKey, trace });
    }
    if (stream !== undefined) {
      const limit = ["MAXLEN", "~", STREAM_LENGTH] as const;
      return await ask("xadd", stream, ...limit, "*", "message", envelope, ...trace) as string;
    }
    await ask("publish", this.#name(channel), envelope);
  }

  async #publishOnce(
    envelope: string,
    { idempotencyKey, trace }: {
      readonly idempotencyKey: string;
      /** The fields of the entry behind its envelope. */
      readonly trace: readonly string[];
    },
  ): Promise<string | undefined> {
    const { prefix, channel, stream } = this.#options;
    const name = this.#name(stream ?? channel);
    const key = `${prefix}:{${hashTag(name)}}:once:${sha256(idempotencyKey)}`;
    const keys = stream === undefined ? [1, key] as const : [2, key, stream] as const;
    const reply = await repeatUntilAnswered(this.#options.ask, [
      "eval",
      ONCE,
      ...keys,
      stream === undefined ? "publish" : "xadd",
      envelope,
      sha256(envelope),
      IDEMPOTENCY_MS,
      STREAM_LENGTH,
      name,
      ...trace,
    ]);
    if (reply === CONFLICT) throw new IdempotencyConflict("Another envelope has this key");
    return stream === undefined ? undefined : String(reply);
  }

  #name(name: string | undefined): string {
    if (name !== undefined) return name;
    throw new BusUnavailable("refused", "both the channel and the stream are off");
  }
}

/** The part of a name by which a Cluster chooses its slot, so that other names can follow it there. */
export function hashTag(name: string): string {
  const opening = name.indexOf("{");
  const closing = name.indexOf("}", opening + 1);
  return opening === -1 || closing <= opening + 1 ? name : name.slice(opening + 1, closing);
}
