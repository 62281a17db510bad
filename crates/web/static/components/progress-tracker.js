// <progress-tracker id channel="customer:…">: where a session stands, step by step. Follows the customer's own channel,
// because only the room joins a session's, and says the new state in the page's title and to screen readers
// (#progress-said, which must not be replaced).

import { LiveSection } from "./live-section.js";

class ProgressTracker extends LiveSection {
  async renew() {
    await super.renew();
    const heading = this.querySelector("h1")?.textContent.trim();
    const said = document.getElementById("progress-said");
    if (!heading || said.textContent === heading) return;
    said.textContent = heading;
    document.title = `${heading} · Pitlane`;
  }
}

customElements.define("progress-tracker", ProgressTracker);
