// <offline-notice hidden>: a strip on top of the window while the device has no network.

class OfflineNotice extends HTMLElement {
  #show = () => {
    this.hidden = navigator.onLine;
  };

  connectedCallback() {
    addEventListener("online", this.#show);
    addEventListener("offline", this.#show);
    this.#show();
  }

  disconnectedCallback() {
    removeEventListener("online", this.#show);
    removeEventListener("offline", this.#show);
  }
}

customElements.define("offline-notice", OfflineNotice);
