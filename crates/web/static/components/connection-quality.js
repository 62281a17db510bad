// <connection-quality level="good|fair|poor">: how good the line of a call is, in words and with an icon. The page brings
// the words; the browser's own statistics bring the level.

const EVERY_MS = 2_000;
// Beyond these people talk across each other, or hear pieces: first fair, then poor.
const ROUND_TRIP_MS = [250, 500];
const LOSS_PERCENT = [2, 8];

/** The level of a line: the worst of what is known decides. */
export function level({ roundTripMs, lossPercent }) {
  const worse = (value, [fair, poor]) => (value >= poor ? 2 : value >= fair ? 1 : 0);
  return ["good", "fair", "poor"][Math.max(worse(roundTripMs, ROUND_TRIP_MS), worse(lossPercent, LOSS_PERCENT))];
}

/** What the statistics say, measured since `before`. */
export async function measure(pc, before) {
  const now = { at: performance.now(), bytes: 0, lost: 0, received: 0, roundTripMs: 0, sentLossPercent: 0, width: 0, height: 0 };
  for (const one of (await pc.getStats()).values()) {
    if (one.type === "inbound-rtp") {
      now.bytes += one.bytesReceived ?? 0;
      now.lost += Math.max(one.packetsLost ?? 0, 0);
      now.received += one.packetsReceived ?? 0;
      now.width = Math.max(now.width, one.frameWidth ?? 0);
      now.height = Math.max(now.height, one.frameHeight ?? 0);
    } else if (one.type === "remote-inbound-rtp") {
      now.sentLossPercent = Math.max(now.sentLossPercent, (one.fractionLost ?? 0) * 100);
    } else if (one.type === "candidate-pair" && one.nominated && one.state === "succeeded") {
      now.roundTripMs = Math.max(now.roundTripMs, (one.currentRoundTripTime ?? 0) * 1000);
    }
  }
  const seconds = before ? Math.max((now.at - before.at) / 1000, 0.001) : 0;
  const lost = before ? Math.max(now.lost - before.lost, 0) : 0;
  const received = before ? Math.max(now.received - before.received, 0) : 0;
  now.kilobits = before ? Math.max(((now.bytes - before.bytes) * 8) / 1000 / seconds, 0) : 0;
  now.lossPercent = Math.max(lost + received > 0 ? (lost / (lost + received)) * 100 : 0, now.sentLossPercent);
  return now;
}

class ConnectionQuality extends HTMLElement {
  #pc = null;
  #timer = 0;
  #last = null;

  /** Watches this connection; `null` watches none. Dispatches `quality` with every measurement. */
  watch(pc) {
    if (this.#pc === pc) return;
    clearInterval(this.#timer);
    this.#pc = pc;
    this.#last = null;
    this.hidden = true;
    if (pc) this.#timer = setInterval(() => this.#measure(pc), EVERY_MS);
  }

  disconnectedCallback() {
    this.watch(null);
  }

  async #measure(pc) {
    const before = this.#last;
    const now = await measure(pc, before).catch(() => null);
    if (!now || pc !== this.#pc) return;
    this.#last = now;
    if (!before) return;
    const is = level(now);
    this.hidden = false;
    this.setAttribute("level", is);
    for (const part of this.querySelectorAll("[data-level]")) part.hidden = part.dataset.level !== is;
    const size = now.width ? `, ${now.width} × ${now.height}` : "";
    this.title = `${Math.round(now.roundTripMs)} ms, ${now.lossPercent.toFixed(1)} %, ${Math.round(now.kilobits)} kbit/s${size}`;
    this.dispatchEvent(new CustomEvent("quality", { detail: { level: is, ...now } }));
  }
}

customElements.define("connection-quality", ConnectionQuality);
