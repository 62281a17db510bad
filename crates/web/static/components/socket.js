// One reconnecting socket a page, shared by everything on it.
//
// A subscriber names a channel and how far it has come; after every connect the channel is joined from there, so
// nothing is missed. Personal channels have no log: their subscribers read REST again when `joined` arrives.

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 15_000;
const PING_EVERY_MS = 20_000;
// The server ticks every 15 s and answers pings; this much silence means that the line is dead.
const SILENCE_MS = 45_000;

/** What <personal-notices> shows on every page and acknowledges once somebody has seen it. Nobody else does. */
export const SHOWN_BY_NOTICES = new Set(["session_upgraded", "start_nudge"]);

class Socket extends EventTarget {
  #ws = null;
  #channels = new Map();
  #attempt = 0;
  #timer = 0;
  #heard = 0;

  /** Whether frames can be sent right now. */
  get connected() {
    return this.#ws?.readyState === WebSocket.OPEN;
  }

  /** How often connecting has failed since it last worked. */
  get attempts() {
    return this.#attempt;
  }

  /**
   * Joins a channel. `subscriber` has `after()`, the last `seq` it knows, and `frame(frame)`, called with every frame
   * of the channel and with frames that belong to none. Answers a function that ends the subscription.
   */
  subscribe(channel, subscriber) {
    const known = this.#channels.get(channel);
    if (known) {
      known.add(subscriber);
    } else {
      this.#channels.set(channel, new Set([subscriber]));
    }
    if (this.connected) this.join(channel);
    else this.#connect();
    return () => {
      const subscribers = this.#channels.get(channel);
      subscribers?.delete(subscriber);
      if (subscribers?.size === 0) this.#channels.delete(channel);
    };
  }

  /** Joins the channel again from where its subscribers are. */
  join(channel) {
    const positions = [...(this.#channels.get(channel) ?? [])].map((subscriber) => subscriber.after());
    if (positions.length > 0) this.send({ type: "join", channel, after_seq: Math.min(...positions) });
  }

  /** Sends a frame; answers whether it left. */
  send(frame) {
    if (!this.connected) return false;
    this.#ws.send(JSON.stringify(frame));
    return true;
  }

  #connect() {
    if (this.#ws || this.#channels.size === 0) return;
    clearTimeout(this.#timer);
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const ws = new WebSocket(`${scheme}//${location.host}/ws`);
    this.#ws = ws;
    ws.addEventListener("open", () => {
      this.#attempt = 0;
      this.#heard = Date.now();
      this.dispatchEvent(new Event("up"));
      for (const channel of this.#channels.keys()) this.join(channel);
    });
    ws.addEventListener("message", (message) => {
      this.#heard = Date.now();
      this.#deliver(JSON.parse(message.data));
    });
    ws.addEventListener("close", () => this.#lost(ws));
  }

  #deliver(frame) {
    const audience = frame.channel ? [this.#channels.get(frame.channel) ?? []] : this.#channels.values();
    for (const subscribers of audience) for (const subscriber of [...subscribers]) subscriber.frame(frame);
  }

  #lost(ws) {
    if (this.#ws !== ws) return;
    this.#ws = null;
    this.#attempt += 1;
    this.dispatchEvent(new Event("down"));
    const ceiling = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(this.#attempt - 1, 6));
    // Jitter over the whole range: a restarted server is not met by everybody at once.
    this.#timer = setTimeout(() => this.#connect(), ceiling * (0.3 + 0.7 * Math.random()));
  }

  #beat() {
    if (!this.#ws) return;
    if (this.connected && Date.now() - this.#heard > SILENCE_MS) {
      const dead = this.#ws;
      dead.close();
      this.#lost(dead);
    } else {
      this.send({ type: "ping" });
    }
  }

  constructor() {
    super();
    setInterval(() => this.#beat(), PING_EVERY_MS);
    const now = () => this.#connect();
    addEventListener("online", now);
    addEventListener("pageshow", now);
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") now();
    });
  }
}

export const socket = new Socket();
