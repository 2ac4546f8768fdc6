import type { Aedes } from "aedes";
import type { ISubscription } from "mqtt-packet";

/** What a client subscribed to, beyond what the broker below it knows. */
interface Subscription {
  /** Its own messages do not come back (MQTT 5, No Local). */
  readonly noLocal: boolean;
  /** The retain flag stays as it was published. */
  readonly asPublished: boolean;
  /** Retained messages are not sent when it subscribes. */
  readonly noRetained: boolean;
  readonly share: string | undefined;
}

/** A message on its way to a client. */
export interface Delivery {
  readonly topic: string;
  /** The client that published it; undefined for the broker's own. */
  readonly from: string | undefined;
  /** Which message it is, the same for every receiver. */
  readonly number: number;
  /** A retained message that a new subscription brings. */
  readonly isRetained: boolean;
}

const SHARE = /^\$share\/([^/]+)\/(.+)$/;

/** What the broker below knows a filter by: a shared one is an ordinary one to it. */
export function plainFilter(filter: string): string {
  return SHARE.exec(filter)?.[2] ?? filter;
}

/** One client's session: what outlives its connection. */
export class Session {
  readonly #subscriptions = new Map<string, Subscription>();
  /** Seconds that it is kept after its connection. */
  expiry = 0;
  timer: NodeJS.Timeout | undefined;

  get size(): number {
    return this.#subscriptions.size;
  }

  has(filter: string): boolean {
    return this.#subscriptions.has(filter);
  }

  add({ topic, nl = false, rap = false, rh = 0 }: ISubscription): void {
    const noRetained = rh === 2 || (rh === 1 && this.has(topic)) || SHARE.test(topic);
    this.#subscriptions.set(topic, {
      noLocal: nl,
      asPublished: rap,
      noRetained,
      share: SHARE.exec(topic)?.[1],
    });
  }

  remove(filter: string): boolean {
    return this.#subscriptions.delete(filter);
  }

  /** Whether a filter of the broker below is still needed by another subscription. */
  needs(plain: string): boolean {
    return [...this.#subscriptions.keys()].some((filter) => plainFilter(filter) === plain);
  }

  #matching(topic: string): [string, Subscription][] {
    return [...this.#subscriptions].filter(([filter]) => matches(plainFilter(filter), topic));
  }

  /** Whether the retain flag stays on a message of that topic. */
  keepsRetain(topic: string): boolean {
    return this.#matching(topic).some(([, { asPublished }]) => asPublished);
  }

  /** The shared subscriptions that a topic matches. */
  shares(topic: string): string[] {
    return this.#matching(topic).flatMap(([filter, { share }]) => (share === undefined ? [] : [filter]));
  }

  /**
   * Whether the message is for this client. `chosen` says whether a message of a shared subscription is this one's.
   * What no subscription asked for is the broker's answer to this client, and is always.
   */
  wants({ topic, from, isRetained }: Delivery, id: string, chosen: (filter: string) => boolean): boolean {
    const found = this.#matching(topic);
    if (found.length === 0) {
      return true;
    }
    return found.some(([filter, { noLocal, noRetained, share }]) => {
      if ((isRetained && noRetained) || (noLocal && from === id)) {
        return false;
      }
      return share === undefined || chosen(filter);
    });
  }
}

/** The sessions of a broker's clients, by client id. */
export class Sessions {
  readonly #sessions = new Map<string, Session>();
  readonly #aedes: Aedes;
  readonly #isConnected: (id: string) => boolean;

  constructor(aedes: Aedes, isConnected: (id: string) => boolean) {
    this.#aedes = aedes;
    this.#isConnected = isConnected;
  }

  /** The session of a client that connects; a clean start forgets the old one. */
  async open(id: string, clean: boolean): Promise<Session> {
    if (clean) {
      await this.#forget(id);
    }
    const session = this.#sessions.get(id) ?? new Session();
    clearTimeout(session.timer);
    this.#sessions.set(id, session);
    return session;
  }

  of(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  /** The connection ended: its session ends after as many seconds as it was to be kept. */
  left(id: string, session: Session): void {
    clearTimeout(session.timer);
    const forget = (): void => {
      if (this.#sessions.get(id) === session && !this.#isConnected(id)) {
        void this.#forget(id);
      }
    };
    session.timer = setTimeout(forget, session.expiry * 1000).unref();
  }

  close(): void {
    for (const { timer } of this.#sessions.values()) {
      clearTimeout(timer);
    }
  }

  wants(id: string, delivery: Delivery): boolean {
    return this.of(id)?.wants(delivery, id, (filter) => this.#chosen(filter, delivery.number) === id) ?? true;
  }

  /** One of the connected clients that share the subscription, another one for the next message. */
  #chosen(filter: string, number: number): string | undefined {
    const members = [...this.#sessions]
      .filter(([id, session]) => session.has(filter) && this.#isConnected(id))
      .map(([id]) => id);
    return members[number % members.length];
  }

  async #forget(id: string): Promise<void> {
    this.#sessions.delete(id);
    const { persistence } = this.#aedes as unknown as { persistence: Persistence };
    await persistence.cleanSubscriptions({ id });
    for await (const packet of persistence.outgoingStream({ id })) {
      await persistence.outgoingClearMessageId({ id }, packet);
    }
  }
}

/** What is used here of aedes' store of sessions (aedes-persistence, which its types leave open). */
interface Persistence {
  cleanSubscriptions: (client: { id: string }) => Promise<unknown>;
  outgoingStream: (client: { id: string }) => AsyncIterable<object>;
  outgoingClearMessageId: (client: { id: string }, packet: object) => Promise<unknown>;
}

/** Whether a topic filter matches a topic (MQTT 5, 4.7); `$` topics are not matched by a wildcard at the beginning. */
export function matches(filter: string, topic: string): boolean {
  if (topic.startsWith("$") && /^[+#]/.test(filter)) {
    return false;
  }
  const [wanted, levels] = [filter.split("/"), topic.split("/")];
  for (const [index, level] of wanted.entries()) {
    if (level === "#") {
      return true;
    }
    if (index >= levels.length || (level !== "+" && level !== levels[index])) {
      return false;
    }
  }
  return wanted.length === levels.length;
}
