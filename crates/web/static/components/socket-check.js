// <socket-check>: opens the live channel once and says whether it answers, and how fast.

const PATIENCE_MS = 5_000;

class SocketCheck extends HTMLElement {
  connectedCallback() {
    const begun = performance.now();
    const ws = new WebSocket(new URL("/ws", location.href.replace(/^http/, "ws")));
    const give = (good, text) => {
      clearTimeout(timer);
      ws.onmessage = ws.onopen = ws.onerror = ws.onclose = null;
      ws.close();
      this.querySelector("[data-detail]").textContent = text;
      this.querySelector(good ? "[data-good]" : "[data-bad]").hidden = false;
    };
    const timer = setTimeout(() => give(false, "No answer. Does the proxy in front pass websockets on?"), PATIENCE_MS);
    ws.onopen = () => ws.send(JSON.stringify({ type: "ping" }));
    ws.onmessage = ({ data }) => {
      if (JSON.parse(data).type !== "pong") return;
      give(true, `It answered this browser after ${Math.round(performance.now() - begun)} ms.`);
    };
    ws.onerror = () => give(false, "It could not be opened. Does the proxy in front pass websockets on?");
    ws.onclose = ws.onerror;
  }
}

customElements.define("socket-check", SocketCheck);
